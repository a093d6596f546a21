#include HEADER

const char *name_from_unit_two(licentia_status status);

const char *name_from_unit_two(licentia_status status) { return licentia_status_name(status); }
