/*
 * Times what an event costs those who listen to it: FreeSWITCH calls one listener after the other, the newest first
 * (switch_event.c, switch_event_bind_removable and switch_event_deliver). One of ours is bound before mod_nizam is loaded and one
 * after it, so that mod_nizam's callback runs between two looks at the clock. The later of the two then serialises the same event to JSON,
 * which is the least that a module does that sends events elsewhere.
 */
#include "mod_nizambench.h"

#define MOST_EVENTS 1000000L
#define EVENT SWITCH_EVENT_CHANNEL_HANGUP_COMPLETE
#define HEADERS 300

/* One event is delivered at a time, by the thread of the command. */
static struct {
	switch_event_node_t *behind;
	int measuring;
	int64_t before;
	int64_t listener;
	int64_t json;
	long failed;
} watch;

static void before(switch_event_t *event)
{
	(void) event;
	if (watch.measuring) {
		watch.before = nizambench_now();
	}
}

static void behind(switch_event_t *event)
{
	char *text = NULL;
	int64_t now;

	if (!watch.measuring) {
		return;
	}
	now = nizambench_now();
	watch.listener = now - watch.before;
	if (switch_event_serialize_json(event, &text) != SWITCH_STATUS_SUCCESS) {
		watch.failed++;
	}
	watch.json = nizambench_now() - now;
	switch_safe_free(text);
}

switch_status_t nizambench_watch_events(const char *name)
{
	return switch_event_bind_removable(name, EVENT, SWITCH_EVENT_SUBCLASS_ANY, behind, NULL, &watch.behind);
}

void nizambench_unwatch_events(void)
{
	switch_event_unbind(&watch.behind);
}

/* The end of a call with these variables, and more of them until it has as many headers as such an event has with all that modules add. */
static switch_event_t *event_of(switch_event_t *variables)
{
	switch_event_t *event = NULL;
	switch_event_header_t *header;
	int count = 0;

	if (switch_event_create(&event, EVENT) != SWITCH_STATUS_SUCCESS) {
		return NULL;
	}
	switch_event_add_header_string(event, SWITCH_STACK_BOTTOM, "Unique-ID", "5c6aa7b1-0a5c-4cf3-9e0d-000000000001");
	switch_event_add_header_string(event, SWITCH_STACK_BOTTOM, "Call-Direction", "inbound");
	switch_event_add_header_string(event, SWITCH_STACK_BOTTOM, "Hangup-Cause", "NORMAL_CLEARING");
	for (header = variables->headers; header; header = header->next) {
		char name[256];

		switch_snprintf(name, sizeof(name), "variable_%s", header->name);
		switch_event_add_header_string(event, SWITCH_STACK_BOTTOM, name, header->value);
	}
	for (header = event->headers; header; header = header->next) {
		count++;
	}
	for (; count < HEADERS; count++) {
		char name[64];

		switch_snprintf(name, sizeof(name), "variable_rtp_audio_of_some_module_%d", count);
		switch_event_add_header_string(event, SWITCH_STACK_BOTTOM, name, "some value of usual length");
	}
	return event;
}

/* events COUNT PAUSE FILE: delivers so many, microseconds apart. */
void nizambench_events(switch_stream_handle_t *stream, int argc, char **argv)
{
	long count = argc == 3 ? atol(argv[0]) : 0, pause = argc == 3 ? atol(argv[1]) : 0, i;
	switch_event_t *variables = count > 0 ? nizambench_variables_of(argv[2]) : NULL, *event = NULL;
	switch_event_node_t *first = NULL;
	int64_t *listener = NULL, *json = NULL;

	if (count > 0 && count <= MOST_EVENTS) {
		listener = malloc((size_t) count * sizeof(*listener));
		json = malloc((size_t) count * sizeof(*json));
	}
	if (!variables || !listener || !json || !(event = event_of(variables)) ||
		switch_event_bind_removable("mod_nizambench", EVENT, SWITCH_EVENT_SUBCLASS_ANY, before, NULL, &first) !=
			SWITCH_STATUS_SUCCESS) {
		stream->write_function(stream, "-ERR events COUNT PAUSE FILE\n");
	} else {
		watch.failed = 0;
		for (i = 0; i < count; i++) {
			switch_event_t *copy = NULL;

			switch_event_dup(&copy, event);
			watch.measuring = 1;
			switch_event_deliver(&copy);
			watch.measuring = 0;
			listener[i] = watch.listener;
			json[i] = watch.json;
			switch_micro_sleep((switch_interval_time_t) pause);
		}
		nizambench_say_times(stream, listener, count, count);
		nizambench_say_times(stream, json, count, count - watch.failed);
	}
	if (first) {
		switch_event_unbind(&first);
	}
	if (variables) {
		switch_event_destroy(&variables);
	}
	if (event) {
		switch_event_destroy(&event);
	}
	switch_safe_free(listener);
	switch_safe_free(json);
}
