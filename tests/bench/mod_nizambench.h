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

/* The endpoint whose sessions are hunted for. */
switch_status_t nizambench_add_endpoint(switch_loadable_module_interface_t *module);

#endif
