// Includes the header twice, and is linked with another unit that includes it.
#include HEADER
#include HEADER
#include <string.h>

const char *name_from_unit_two(licentia_status status);

int main(void) {
  licentia_status status = LICENTIA_EXPIRED;
  int sizes = sizeof(licentia_status) == 4 && sizeof(licentia_error) == 256;
  return !sizes || strcmp(name_from_unit_two(status), "expired") ||
         strcmp(licentia_version(), LICENTIA_VERSION) || licentia_abi() != LICENTIA_ABI;
}
