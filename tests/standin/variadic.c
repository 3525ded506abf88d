/*
 * Stable Rust can call variadic functions but not define them, so the two that the module calls are defined here.
 * They format, and hand the text to Rust.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

void standin_log_line(int level, const char *file, const char *func, int line, const char *text);
int switch_console_stream_raw_write(void *handle, unsigned char *data, size_t len);
int switch_console_stream_write(void *handle, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void switch_log_printf(int channel, const char *file, const char *func, int line, const char *userdata, int level,
					   const char *fmt, ...) __attribute__((format(printf, 7, 8)));

void switch_log_printf(int channel, const char *file, const char *func, int line, const char *userdata, int level,
					   const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	(void) channel;
	(void) userdata;
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len >= 0) {
		standin_log_line(level, file, func, line, text);
		free(text);
	}
}

int switch_console_stream_write(void *handle, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len, status;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		return 1;				/* SWITCH_STATUS_FALSE */
	}
	status = switch_console_stream_raw_write(handle, (unsigned char *) text, (size_t) len);
	free(text);
	return status;
}
