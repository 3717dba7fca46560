/* Names and texts of the status codes, both made from BLPO_STATUS_MAP. */
#include <blpo/status.h>

const char *blpo_status_text(int status)
{
    switch (status) {
#define CASE(name, number, text)                                                                                       \
    case number:                                                                                                       \
        return text;
        BLPO_STATUS_MAP(CASE)
#undef CASE
    default:
        return "unknown status";
    }
}

const char *blpo_status_name(int status)
{
    switch (status) {
#define CASE(name, number, text)                                                                                       \
    case number:                                                                                                       \
        return #name;
        BLPO_STATUS_MAP(CASE)
#undef CASE
    default:
        return "BLPO_UNKNOWN";
    }
}
