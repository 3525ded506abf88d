/*
 * A stopwatch inside FreeSWITCH, for `make bench`: it times the lookup that mod_sofia makes for a REGISTER and (in
 * mod_nizambench_hunt.c) the hunt of a dialplan, and it can answer one domain with a constant document, which is the
 * least that any module can do.
 *
 * Load it before mod_nizam: bindings are asked in the order in which they were made (switch_xml.c, switch_xml_locate).
 */
#include "mod_nizambench.h"

SWITCH_MODULE_LOAD_FUNCTION(mod_nizambench_load);
SWITCH_MODULE_SHUTDOWN_FUNCTION(mod_nizambench_shutdown);
SWITCH_MODULE_DEFINITION(mod_nizambench, mod_nizambench_load, mod_nizambench_shutdown, NULL);

#define MOST_LOOKUPS 10000000L
#define MOST_DOCUMENT (16L << 20)
#define MOST_WORDS 32
#define COMMANDS "locate | document | constant | hunt | steps | events"

static struct {
	switch_xml_binding_t *binding;
	/* Written while no lookup runs: the driver waits for the answer of one command before it sends the next. */
	char *document;
	size_t length;
	char domain[256];
} constant;

static switch_xml_t answer(const char *section, const char *tag, const char *key, const char *value,
						   switch_event_t *params, void *data)
{
	char *copy;

	if (!constant.document || !value || strcasecmp(value, constant.domain) || !tag || strcmp(tag, "domain")) {
		return NULL;
	}
	/* The parser works in place and frees the text with the tree, so each answer is a copy. */
	if (!(copy = malloc(constant.length + 1))) {
		return NULL;
	}
	memcpy(copy, constant.document, constant.length + 1);
	return switch_xml_parse_str_dynamic(copy, SWITCH_FALSE);
}

int64_t nizambench_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t) time.tv_sec * 1000000000 + time.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

void nizambench_say_times(switch_stream_handle_t *stream, int64_t *times, long count, long found)
{
	int64_t sum = 0;
	long i;

	for (i = 0; i < count; i++) {
		sum += times[i];
	}
	qsort(times, (size_t) count, sizeof(*times), ascending);
	stream->write_function(stream, "+OK found=%ld count=%ld p50=%" SWITCH_INT64_T_FMT " p99=%" SWITCH_INT64_T_FMT
						   " mean=%" SWITCH_INT64_T_FMT "\n", found, count, times[count / 2], times[count - 1 - count / 100],
						   sum / count);
}

/* The headers of a lookup: those that FreeSWITCH puts into every event, and NAME=VALUE words. */
static switch_event_t *headers(int argc, char **argv)
{
	switch_event_t *params = NULL;
	int i;

	if (switch_event_create(&params, SWITCH_EVENT_REQUEST_PARAMS) != SWITCH_STATUS_SUCCESS) {
		return NULL;
	}
	for (i = 0; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		if (equals) {
			char name[128];

			switch_copy_string(name, argv[i], sizeof(name));
			if ((size_t) (equals - argv[i]) < sizeof(name)) {
				name[equals - argv[i]] = '\0';
				switch_event_add_header_string(params, SWITCH_STACK_BOTTOM, name, equals + 1);
			}
		}
	}
	return params;
}

/* Writes text with [FIRST-LAST] replaced by a number drawn from that range, so that lookups spread over many records. */
static void draw(char *out, size_t size, const char *text)
{
	static uint64_t state = 0x9e3779b97f4a7c15;
	unsigned first, last;
	int end = 0;
	const char *range = strchr(text, '[');

	if (!range || sscanf(range, "[%u-%u]%n", &first, &last, &end) != 2 || !end || last < first) {
		switch_copy_string(out, text, size);
		return;
	}
	/* xorshift64: any spread will do. */
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	switch_snprintf(out, size, "%.*s%u%s", (int) (range - text), text, first + (unsigned) (state % (last - first + 1)),
					range + end);
}

/* locate KEY USER DOMAIN COUNT [NAME=VALUE...] */
static void locate(switch_stream_handle_t *stream, int argc, char **argv)
{
	long count = argc >= 4 ? atol(argv[3]) : 0, i, found = 0;
	int64_t *times;

	if (count < 1 || count > MOST_LOOKUPS || !(times = malloc((size_t) count * sizeof(*times)))) {
		stream->write_function(stream, "-ERR locate KEY USER DOMAIN COUNT [NAME=VALUE...]\n");
		return;
	}
	for (i = 0; i < count; i++) {
		switch_event_t *params = headers(argc - 4, argv + 4);
		switch_xml_t user = NULL;
		char name[256], domain[256];
		int64_t start;

		draw(name, sizeof(name), argv[1]);
		draw(domain, sizeof(domain), argv[2]);
		start = nizambench_now();
		if (switch_xml_locate_user_merged(argv[0], name, domain, NULL, &user, params) == SWITCH_STATUS_SUCCESS) {
			found++;
			switch_xml_free(user);
		}
		times[i] = nizambench_now() - start;
		switch_event_destroy(&params);
	}
	nizambench_say_times(stream, times, count, found);
	free(times);
}

/* document KEY USER DOMAIN FILE [NAME=VALUE...]: what the binding that answers this lookup says, as FreeSWITCH writes it. */
static void document(switch_stream_handle_t *stream, int argc, char **argv)
{
	switch_event_t *params;
	switch_xml_t root = NULL, domain = NULL;
	switch_status_t status;
	char *text;
	FILE *file;

	if (argc < 4 || !(params = headers(argc - 4, argv + 4))) {
		stream->write_function(stream, "-ERR document KEY USER DOMAIN FILE [NAME=VALUE...]\n");
		return;
	}
	switch_event_add_header_string(params, SWITCH_STACK_BOTTOM, "key", argv[0]);
	switch_event_add_header_string(params, SWITCH_STACK_BOTTOM, "user", argv[1]);
	switch_event_add_header_string(params, SWITCH_STACK_BOTTOM, "domain", argv[2]);
	status = switch_xml_locate("directory", "domain", "name", argv[2], &root, &domain, params, SWITCH_FALSE);
	switch_event_destroy(&params);
	if (status != SWITCH_STATUS_SUCCESS) {
		stream->write_function(stream, "-ERR nobody answers\n");
		return;
	}
	text = switch_xml_toxml(root, SWITCH_FALSE);
	switch_xml_free(root);
	if (text && (file = fopen(argv[3], "w"))) {
		int written = fputs(text, file) >= 0;

		written = !fclose(file) && written;
		stream->write_function(stream, written ? "+OK\n" : "-ERR cannot write\n");
	} else {
		stream->write_function(stream, "-ERR cannot open the file\n");
	}
	switch_safe_free(text);
}

/* constant FILE DOMAIN, or constant off */
static void set_constant(switch_stream_handle_t *stream, int argc, char **argv)
{
	FILE *file;
	long length;

	switch_safe_free(constant.document);
	if (argc == 1 && !strcmp(argv[0], "off")) {
		stream->write_function(stream, "+OK\n");
		return;
	}
	if (argc != 2 || !(file = fopen(argv[0], "r"))) {
		stream->write_function(stream, "-ERR constant FILE DOMAIN | constant off\n");
		return;
	}
	if (!fseek(file, 0, SEEK_END) && (length = ftell(file)) > 0 && length < MOST_DOCUMENT && !fseek(file, 0, SEEK_SET)) {
		char *text = malloc((size_t) length + 1);

		if (text && fread(text, 1, (size_t) length, file) == (size_t) length) {
			text[length] = '\0';
			constant.length = (size_t) length;
			switch_copy_string(constant.domain, argv[1], sizeof(constant.domain));
			constant.document = text;
		} else {
			free(text);
		}
	}
	fclose(file);
	if (constant.document) {
		stream->write_function(stream, "+OK %ld bytes\n", (long) constant.length);
	} else {
		stream->write_function(stream, "-ERR cannot read the file\n");
	}
}

SWITCH_STANDARD_API(nizambench)
{
	char *words, *argv[MOST_WORDS] = { 0 };
	int argc;

	if (zstr(cmd) || !(words = strdup(cmd))) {
		stream->write_function(stream, "-ERR " COMMANDS "\n");
		return SWITCH_STATUS_SUCCESS;
	}
	argc = switch_separate_string(words, ' ', argv, MOST_WORDS);
	if (argc > 0 && !strcmp(argv[0], "locate")) {
		locate(stream, argc - 1, argv + 1);
	} else if (argc > 0 && !strcmp(argv[0], "document")) {
		document(stream, argc - 1, argv + 1);
	} else if (argc > 0 && !strcmp(argv[0], "constant")) {
		set_constant(stream, argc - 1, argv + 1);
	} else if (argc > 0 && !strcmp(argv[0], "hunt")) {
		nizambench_hunt(stream, argc - 1, argv + 1);
	} else if (argc > 0 && !strcmp(argv[0], "steps")) {
		nizambench_steps(stream, argc - 1, argv + 1);
	} else if (argc > 0 && !strcmp(argv[0], "events")) {
		nizambench_events(stream, argc - 1, argv + 1);
	} else {
		stream->write_function(stream, "-ERR " COMMANDS "\n");
	}
	free(words);
	return SWITCH_STATUS_SUCCESS;
}

SWITCH_MODULE_LOAD_FUNCTION(mod_nizambench_load)
{
	switch_api_interface_t *api_interface;

	*module_interface = switch_loadable_module_create_module_interface(pool, modname);
	SWITCH_ADD_API(api_interface, "nizambench", "Times lookups and hunts", nizambench, COMMANDS);
	if (nizambench_add_endpoint(*module_interface) != SWITCH_STATUS_SUCCESS) {
		return SWITCH_STATUS_MEMERR;
	}
	if (nizambench_watch_events(modname) != SWITCH_STATUS_SUCCESS) {
		return SWITCH_STATUS_MEMERR;
	}
	return switch_xml_bind_search_function_ret(answer, SWITCH_XML_SECTION_DIRECTORY, NULL, &constant.binding);
}

SWITCH_MODULE_SHUTDOWN_FUNCTION(mod_nizambench_shutdown)
{
	nizambench_unwatch_events();
	switch_xml_unbind_search_function(&constant.binding);
	switch_safe_free(constant.document);
	return SWITCH_STATUS_SUCCESS;
}
