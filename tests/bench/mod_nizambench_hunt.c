/*
 * Times the hunt of a dialplan: what stands between CS_ROUTING and the list of steps (switch_core_state_machine.c,
 * switch_core_standard_on_routing), for a session that looks like one of mod_sofia's but has no phone.
 */
#include "mod_nizambench.h"

#define MOST_HUNTS 10000000L
/* A hunt allocates from its session's pool, which only the session's end frees. */
#define HUNTS_OF_A_SESSION 50
#define MOST_LINE 8192

/* No call is ever made or answered through this endpoint. */
static switch_io_routines_t routines;
static switch_state_handler_table_t states;
static switch_endpoint_interface_t *endpoint;

switch_status_t nizambench_add_endpoint(switch_loadable_module_interface_t *module)
{
	if (!(endpoint = switch_loadable_module_create_interface(module, SWITCH_ENDPOINT_INTERFACE))) {
		return SWITCH_STATUS_MEMERR;
	}
	endpoint->interface_name = "nizambench";
	endpoint->io_routines = &routines;
	endpoint->state_handler = &states;
	return SWITCH_STATUS_SUCCESS;
}

/* The variables of a call, from lines NAME=VALUE with URL-encoded values. NULL: the file cannot be read. */
switch_event_t *nizambench_variables_of(const char *path)
{
	switch_event_t *variables = NULL;
	char line[MOST_LINE];
	FILE *file = fopen(path, "r");

	if (!file) {
		return NULL;
	}
	if (switch_event_create_plain(&variables, SWITCH_EVENT_CHANNEL_DATA) == SWITCH_STATUS_SUCCESS) {
		while (fgets(line, sizeof(line), file)) {
			char *value = strchr(line, '=');

			if (value) {
				*value++ = '\0';
				value[strcspn(value, "\r\n")] = '\0';
				switch_url_decode(value);
				switch_event_add_header_string(variables, SWITCH_STACK_BOTTOM, line, value);
			}
		}
	}
	fclose(file);
	return variables;
}

/* An incoming call to that number with those variables; NULL where FreeSWITCH makes none. */
static switch_core_session_t *session_of(const char *context, const char *number, switch_event_t *variables)
{
	switch_core_session_t *session =
		switch_core_session_request(endpoint, SWITCH_CALL_DIRECTION_INBOUND, SOF_NO_LIMITS, NULL);
	switch_channel_t *channel;
	switch_caller_profile_t *profile;
	switch_event_header_t *header;
	const char *caller = switch_event_get_header(variables, "sip_from_user");
	const char *address = switch_event_get_header(variables, "sip_received_ip");

	if (!session) {
		return NULL;
	}
	channel = switch_core_session_get_channel(session);
	/* As mod_sofia fills it (sofia.c, sofia_handle_sip_i_invite). */
	profile = switch_caller_profile_new(switch_core_session_get_pool(session),
										switch_event_get_header(variables, "user_name"), "XML", caller, caller, address,
										caller, NULL, NULL, "mod_sofia", context, number);
	if (!channel || !profile) {
		switch_core_session_destroy(&session);
		return NULL;
	}
	switch_channel_set_name(channel, "nizambench/call");
	switch_channel_set_caller_profile(channel, profile);
	for (header = variables->headers; header; header = header->next) {
		switch_channel_set_variable(channel, header->name, header->value);
	}
	return session;
}

/* hunt DIALPLAN CONTEXT NUMBER COUNT FILE */
void nizambench_hunt(switch_stream_handle_t *stream, int argc, char **argv)
{
	long count = argc == 5 ? atol(argv[3]) : 0, i, found = 0;
	switch_core_session_t *session = NULL;
	switch_dialplan_interface_t *dialplan;
	switch_event_t *variables;
	int64_t *times;

	if (count < 1 || count > MOST_HUNTS) {
		stream->write_function(stream, "-ERR hunt DIALPLAN CONTEXT NUMBER COUNT FILE\n");
		return;
	}
	if (!(variables = nizambench_variables_of(argv[4]))) {
		stream->write_function(stream, "-ERR cannot read the file\n");
		return;
	}
	if (!(dialplan = switch_loadable_module_get_dialplan_interface(argv[0]))) {
		stream->write_function(stream, "-ERR no such dialplan\n");
	} else if (!(times = malloc((size_t) count * sizeof(*times)))) {
		stream->write_function(stream, "-ERR no memory\n");
		UNPROTECT_INTERFACE(dialplan);
	} else {
		for (i = 0; i < count; i++) {
			switch_caller_extension_t *extension;
			int64_t start;

			if (i % HUNTS_OF_A_SESSION == 0) {
				if (session) {
					switch_core_session_destroy(&session);
				}
				if (!(session = session_of(argv[1], argv[2], variables))) {
					break;
				}
			}
			start = nizambench_now();
			extension = dialplan->hunt_function(session, NULL, NULL);
			times[i] = nizambench_now() - start;
			found += extension && extension->applications;
		}
		if (session) {
			switch_core_session_destroy(&session);
		}
		if (i < count) {
			stream->write_function(stream, "-ERR no session\n");
		} else {
			nizambench_say_times(stream, times, count, found);
		}
		free(times);
		UNPROTECT_INTERFACE(dialplan);
	}
	switch_event_destroy(&variables);
}

/* steps DIALPLAN CONTEXT NUMBER FILE: what a hunt finds, a line "APPLICATION DATA" a step, after "+OK". */
void nizambench_steps(switch_stream_handle_t *stream, int argc, char **argv)
{
	switch_dialplan_interface_t *dialplan;
	switch_core_session_t *session = NULL;
	switch_event_t *variables;

	if (argc != 4 || !(variables = nizambench_variables_of(argv[3]))) {
		stream->write_function(stream, "-ERR steps DIALPLAN CONTEXT NUMBER FILE\n");
		return;
	}
	if (!(dialplan = switch_loadable_module_get_dialplan_interface(argv[0]))) {
		stream->write_function(stream, "-ERR no such dialplan\n");
	} else {
		if ((session = session_of(argv[1], argv[2], variables))) {
			switch_caller_extension_t *extension = dialplan->hunt_function(session, NULL, NULL);
			switch_caller_application_t *step = extension ? extension->applications : NULL;

			stream->write_function(stream, step ? "+OK\n" : "-ERR nothing found\n");
			for (; step; step = step->next) {
				stream->write_function(stream, "%s %s\n", step->application_name, switch_str_nil(step->application_data));
			}
			switch_core_session_destroy(&session);
		} else {
			stream->write_function(stream, "-ERR no session\n");
		}
		UNPROTECT_INTERFACE(dialplan);
	}
	switch_event_destroy(&variables);
}
