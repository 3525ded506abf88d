/* What the files of mod_nizambench share. */
#ifndef MOD_NIZAMBENCH_H
#define MOD_NIZAMBENCH_H

#include <switch.h>

/* Nanoseconds of a clock that never goes back. */
int64_t nizambench_now(void);

/* Answers "+OK found= count= p50= p99= mean=" about the times, which it sorts. */
void nizambench_say_times(switch_stream_handle_t *stream, int64_t *times, long count, long found);

/* The commands of mod_nizambench_hunt.c. */
void nizambench_hunt(switch_stream_handle_t *stream, int argc, char **argv);
void nizambench_steps(switch_stream_handle_t *stream, int argc, char **argv);

/* The variables of a call, from lines NAME=VALUE with URL-encoded values. NULL: the file cannot be read. */
switch_event_t *nizambench_variables_of(const char *path);

/* The command of mod_nizambench_event.c, and the listener that has to be there before mod_nizam's. */
void nizambench_events(switch_stream_handle_t *stream, int argc, char **argv);
switch_status_t nizambench_watch_events(const char *name);
void nizambench_unwatch_events(void);

/* The endpoint whose sessions are hunted for. */
switch_status_t nizambench_add_endpoint(switch_loadable_module_interface_t *module);

#endif
