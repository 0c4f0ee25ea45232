#include <rask/base.h>

#define STRING_(x) #x
#define STRING(x)  STRING_(x)

const char *rask_version(void)
{
    return STRING(RASK_VERSION_MAJOR) "." STRING(RASK_VERSION_MINOR) "." STRING(RASK_VERSION_PATCH);
}

const char *rask_status_name(int status)
{
    switch (status) {
#define NAME(name, number, text)                                                                             \
    case number: return "RASK_" #name;
        RASK_STATUS_TABLE(NAME)
#undef NAME
    default: return "RASK_E?";
    }
}

const char *rask_status_text(int status)
{
    switch (status) {
#define TEXT(name, number, text)                                                                             \
    case number: return text;
        RASK_STATUS_TABLE(TEXT)
#undef TEXT
    default: return "unknown status";
    }
}
