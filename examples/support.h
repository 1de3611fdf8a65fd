/* What the examples share beside the library: numbers on the command line, a clock, pictures. */
#ifndef SUPPORT_H
#define SUPPORT_H
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_USAGE = 2 };

/* A whole number from low to high, or the end of the program. */
static inline long whole_number(const char *option, const char *text, long low, long high)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (!errno && *text && !*end && value >= low && value <= high) return value;
    fprintf(stderr, "%s %s: must be a whole number from %ld to %ld\n", option, text, low, high);
    exit(EXIT_USAGE);
}

static inline double seconds_now(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- pictures in SVG --------------------------------------------------------------------------- */

/* Written under another name that the last call takes away, so a picture is whole or not there. */
typedef struct {
    FILE *file; /* NULL: could not be opened */
    const char *path;
    char temporary[1024];
} picture;

static inline picture picture_open(const char *path, int width, int height)
{
    picture p = {.path = path};
    int length = snprintf(p.temporary, sizeof p.temporary, "%s.part", path);
    if (length < (int)sizeof p.temporary) p.file = fopen(p.temporary, "w");
    if (p.file)
        fprintf(p.file,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                "font-family=\"sans-serif\" font-size=\"14\">\n"
                "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
                width, height, width, height);
    return p;
}

/* anchor: "start", "middle" or "end" of the text stands at (x, y). */
static inline void picture_text(picture *p, double x, double y, const char *anchor,
                                const char *fill, const char *text)
{
    if (!p->file) return;
    fprintf(p->file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">", x, y, anchor,
            fill);
    for (; *text; text++) {
        if (*text == '<') fputs("&lt;", p->file);
        else if (*text == '&') fputs("&amp;", p->file);
        else fputc(*text, p->file);
    }
    fputs("</text>\n", p->file);
}

/* 0, or the picture was not written and stderr has been told. */
static inline int picture_close(picture *p)
{
    int failed = !p->file;
    if (p->file) {
        failed = fprintf(p->file, "</svg>\n") < 0 || ferror(p->file);
        failed |= fclose(p->file) != 0;
        failed = failed || rename(p->temporary, p->path) != 0;
    }
    if (!failed) return 0;
    fprintf(stderr, "%s: %s\n", p->path, strerror(errno));
    if (p->file) remove(p->temporary);
    return 1;
}

#endif
