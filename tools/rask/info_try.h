/* What a build can do, found out by doing a little of it: what is in modules may have been left out, or lack its library. */
#ifndef INFO_TRY_H
#define INFO_TRY_H

#include <stddef.h>

typedef enum info_outcome { INFO_NOT_TRIED, INFO_MISSING, INFO_THERE } info_outcome;

typedef struct info_feature {
    const char *group, *name; /* "drawing", "svg" */
    const char *module;       /* that is missing when it is; NULL: it is in the library */
    info_outcome outcome;
} info_feature;

enum { INFO_FEATURES_MOST = 32 };

/* How many there are, group by group. NOT_TRIED: there is no temporary folder for what needs files. */
size_t info_try(info_feature features[INFO_FEATURES_MOST]);

#endif
