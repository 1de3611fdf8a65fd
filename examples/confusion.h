/* A confusion matrix, [classes, classes]: a row for each class, a column for each answer. */
#ifndef CONFUSION_H
#define CONFUSION_H
#include "support.h"

static inline int64_t confusion_count(const int64_t *row, int64_t classes)
{
    int64_t count = 0;
    for (int64_t k = 0; k < classes; k++) count += row[k];
    return count;
}

static inline double confusion_share(int64_t part, int64_t count)
{
    return count ? (double)part / (double)count : 0.0;
}

/* One line for each class and one for all; returns the percentage of right answers. */
static inline double confusion_print(const sigad_dataset *data, const int64_t *confusion)
{
    int64_t classes = sigad_dataset_classes(data), all = 0, all_right = 0;
    printf("\n%-16s %8s %8s %9s   %s\n", "class", "series", "right", "share", "mistaken for");
    for (int64_t c = 0; c < classes; c++) {
        const int64_t *row = confusion + c * classes;
        int64_t count = confusion_count(row, classes);
        printf("%-16s %8lld %8lld %7.1f %%  ", sigad_dataset_class(data, c), (long long)count,
               (long long)row[c], 100.0 * confusion_share(row[c], count));
        for (int64_t k = 0; k < classes; k++)
            if (k != c && row[k])
                printf(" %s (%lld)", sigad_dataset_class(data, k), (long long)row[k]);
        putchar('\n');
        all += count;
        all_right += row[c];
    }
    double percent = 100.0 * confusion_share(all_right, all);
    printf("%-16s %8lld %8lld %7.1f %%\n", "all", (long long)all, (long long)all_right, percent);
    return percent;
}

static inline int confusion_plot(const char *path, const sigad_dataset *data,
                                 const int64_t *confusion)
{
    enum { CELL = 40, MARGIN = 120, BASE = 25 };
    int classes = (int)sigad_dataset_classes(data), side = MARGIN + CELL * classes + 20;
    picture p = picture_open(path, side, side);
    for (int i = 0; i < classes; i++) {
        const char *name = sigad_dataset_class(data, i);
        const int64_t *row = confusion + (int64_t)i * classes;
        int64_t count = confusion_count(row, classes);
        int place = MARGIN + CELL * i;
        picture_text(&p, MARGIN - 8, place + BASE, "end", "black", name);
        picture_text(&p, place + CELL / 2, MARGIN - 8, "middle", "black", name);
        for (int k = 0; k < classes; k++) {
            double share = confusion_share(row[k], count);
            char text[24];
            snprintf(text, sizeof text, "%lld", (long long)row[k]);
            picture_square(&p, MARGIN + CELL * k, place, CELL, i == k ? "#2060a0" : "#c03020",
                           share);
            if (row[k])
                picture_text(&p, MARGIN + CELL * k + CELL / 2, place + BASE, "middle",
                             share > 0.5 ? "white" : "black", text);
        }
    }
    return picture_close(&p);
}

#endif
