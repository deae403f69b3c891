// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* How far a long task has come, for whoever sits at the terminal. */
#include <unistd.h>

#include <ecbpf/tool.h>

#include "clock.h"
#include "internal.h"

#define BAR	   40
#define REDRAW_NS  (NS_PER_S / 10)
#define ERASE_LINE "\r\033[K"

/* A bar is on the line where the cursor is. */
static bool drawn;

void ecbpf_progress_hide(void)
{
	if (drawn)
		fputs(ERASE_LINE, stderr);
	drawn = false;
}

static void draw(const struct ecbpf_progress *progress, uint64_t done)
{
	double part = progress->total ? (double)done / progress->total : 1;
	char bar[BAR + 1];

	if (part > 1)
		part = 1;
	for (int i = 0; i < BAR; i++)
		bar[i] = i < part * BAR ? '#' : ' ';
	bar[BAR] = '\0';
	fprintf(stderr, "\r%s [%s] %3d %%", progress->what, bar, (int)(part * 100));
	fflush(stderr);
	drawn = true;
}

void ecbpf_progress_begin(struct ecbpf_progress *progress, const char *what, uint64_t total)
{
	*progress = (struct ecbpf_progress){
		.what = what,
		.total = total,
		.drawn = monotonic_now(),
		.shown = isatty(STDERR_FILENO),
	};
	if (progress->shown)
		draw(progress, 0);
}

void ecbpf_progress_update(struct ecbpf_progress *progress, uint64_t done)
{
	int64_t time;

	if (!progress->shown)
		return;
	time = monotonic_now();
	if (time - progress->drawn < REDRAW_NS)
		return;
	progress->drawn = time;
	draw(progress, done);
}

void ecbpf_progress_end(struct ecbpf_progress *progress)
{
	if (progress->shown)
		ecbpf_progress_hide();
	progress->shown = false;
}
