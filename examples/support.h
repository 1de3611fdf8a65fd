/* What the examples share beside the library: the command line, the frame
 * of a context, a clock, pictures. */
#ifndef SUPPORT_H
#define SUPPORT_H
#include <errno.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_USAGE = 2, EXIT_NO_DEVICE = 77 };

/* ---- the command line ---------------------------------------------------------------------- */

/* Where the value of --name goes. A number's present value is its default. */
typedef struct {
    const char *name, *help;
    const char **text; /* any text; if NULL: */
    long *number;      /* a whole number from low to high; with high 0 a switch, which sets 1 */
    long low, high;
    const char *value; /* what the help calls the value, if not FILE or N */
} option;

static inline void print_help(FILE *file, const char *usage, const option *options, int count)
{
    fprintf(file, "%s\n", usage);
    for (int i = 0; i < count; i++) {
        const option *o = &options[i];
        const char *value = o->value ? o->value : o->text ? "FILE" : o->high ? "N" : "";
        int column = fprintf(file, "  --%s %s", o->name, value);
        fprintf(file, "%*s%s", 20 - column, "", o->help);
        if (!o->text && o->high) fprintf(file, " (%ld)", *o->number);
        fputc('\n', file);
    }
}

static inline void take_option(const option *o, const char *value)
{
    char *end = NULL;
    if (o->text) {
        *o->text = value;
        return;
    }
    errno = 0;
    long number = o->high ? strtol(value, &end, 10) : 1;
    if (errno || end == value || (end && *end) ||
        (o->high && (number < o->low || number > o->high))) {
        fprintf(stderr, "--%s %s: must be a whole number from %ld to %ld\n", o->name, value, o->low,
                o->high);
        exit(EXIT_USAGE);
    }
    *o->number = number;
}

/* Moves the arguments that are no options to argv[1 .. wanted]. Anything else that does not fit
   ends the program, as --help does. */
static inline void parse_arguments(int argc, char **argv, const char *usage, int wanted,
                                   const option *options, int count)
{
    int found = 0;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            argv[++found] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--help") == 0) {
            print_help(stdout, usage, options, count);
            exit(EXIT_SUCCESS);
        }
        const option *o = options;
        while (o < options + count && strcmp(argv[i] + 2, o->name) != 0) o++;
        int valued = o < options + count && (o->text || o->high);
        if (o == options + count || i + valued >= argc) {
            fprintf(stderr, "%s: %s\n", argv[i], valued ? "needs a value" : "no such option");
            print_help(stderr, usage, options, count);
            exit(EXIT_USAGE);
        }
        i += valued;
        take_option(o, argv[i]);
    }
    if (found == wanted) return;
    fprintf(stderr, "%d files, not %d\n", found, wanted);
    print_help(stderr, usage, options, count);
    exit(EXIT_USAGE);
}

/* ---- the context --------------------------------------------------------------------------- */

/* A context on "cpu" (NULL) or "cuda", or the end of the program. */
static inline sigad_context *context_open(const char *device, long threads, long seed)
{
    sigad_context *context;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = (int32_t)threads,
                                     .seed = (uint64_t)seed};
    if (device && strcmp(device, "cuda") == 0) options.device = SIGAD_CUDA;
    if (device && !options.device && strcmp(device, "cpu") != 0) {
        fprintf(stderr, "--device %s: must be cpu or cuda\n", device);
        exit(EXIT_USAGE);
    }
    sigad_status status = sigad_context_create(&options, &context);
    if (!status) return context;
    fprintf(stderr, "no context: %s\n", sigad_status_string(status));
    exit(status == SIGAD_EDEVICE ? EXIT_NO_DEVICE : EXIT_FAILURE);
}

/* Destroys it with all that was made from it; 1 and a message if anything in it failed. */
static inline int context_close(sigad_context *context)
{
    int failed = sigad_context_status(context) != SIGAD_OK;
    if (failed) fprintf(stderr, "%s\n", sigad_context_message(context));
    sigad_context_destroy(context);
    return failed;
}

/* ---- memory and time ----------------------------------------------------------------------- */

/* Zeroed, or the end of the program. */
static inline void *allocate(int64_t count, size_t size)
{
    void *block = calloc((size_t)count, size);
    if (block || !count) return block;
    fputs("out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

static inline double seconds_now(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- pictures in SVG ----------------------------------------------------------------------- */

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
        if (*text == '<')
            fputs("&lt;", p->file);
        else if (*text == '&')
            fputs("&amp;", p->file);
        else
            fputc(*text, p->file);
    }
    fputs("</text>\n", p->file);
}

/* Filled with a colour of the given opacity, 0 to 1. */
static inline void picture_square(picture *p, double x, double y, double side, const char *fill,
                                  double opacity)
{
    if (p->file)
        fprintf(p->file,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" "
                "fill-opacity=\"%.3f\" stroke=\"#ddd\"/>\n",
                x, y, side, side, fill, opacity);
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
