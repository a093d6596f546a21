// Calls every function that asks the vendor's server, where none is configured, and every function
// of a seat that came by hand.
#ifndef WALK_SEAT_H
#define WALK_SEAT_H

#include "walk_installation.h"

// 30 days after the fixtures begin.
enum { LEASE_ENDS = 1769817600 };

static inline void walk_calls(const licentia_installation *held) {
  licentia_error error;
  EXPECT(LICENTIA_NO_TRANSPORT, licentia_installation_sync(held, &error));
  CHECK(error.status == LICENTIA_NO_TRANSPORT && strstr(error.message, "server"));
  EXPECT(LICENTIA_NO_TRANSPORT, licentia_installation_call(held, "renewal", NULL, &error));
  EXPECT(LICENTIA_NO_TRANSPORT, licentia_installation_call(held, "seat", "ann", &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_call(held, "tea", NULL, &error));
}

static inline void walk_held(const licentia_seat *seat) {
  licentia_error error;
  CHECK(licentia_seat_expires(seat) == LEASE_ENDS);
  EXPECT(LICENTIA_NO_TRANSPORT, licentia_seat_renew(seat, &error));
  EXPECT(LICENTIA_NO_TRANSPORT, licentia_seat_release(seat, &error));
  CHECK(licentia_seat_expires(seat) == LEASE_ENDS);  // whatever failed
}

static inline void walk_seat(const fixtures *all) {
  char folder[512];
  folder_make(folder, all->folder);
  licentia_installation *held = walk_open(all, folder);
  licentia_seat *seat = NULL;
  licentia_error error;
  EXPECT(LICENTIA_NOT_LICENSED, licentia_installation_seat(held, "ann", 0, &seat, &error));
  const fixture *metered = &all->metered, *lease = &all->lease;
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, metered->text, metered->size, &error));
  walk_calls(held);
  EXPECT(LICENTIA_NO_TRANSPORT, licentia_installation_seat(held, "ann", 0, &seat, &error));
  CHECK(seat == NULL);
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, lease->text, lease->size, &error));
  EXPECT(LICENTIA_NO_TRANSPORT, licentia_installation_seat(held, "bob", 0, &seat, &error));
  EXPECT(LICENTIA_INVALID_ARGUMENT, licentia_installation_seat(held, "ann", 367, &seat, &error));
  CHECK(seat == NULL);
  EXPECT(LICENTIA_OK, licentia_installation_seat(held, "ann", 0, &seat, &error));
  walk_held(seat);
  licentia_seat_free(seat);
  EXPECT(LICENTIA_OK, licentia_installation_seat(held, "ann", 30, &seat, NULL));

  // It goes with its license, and outlives its installation.
  EXPECT(LICENTIA_OK, licentia_installation_remove(held, NULL, &error));
  CHECK(licentia_seat_expires(seat) == 0);
  EXPECT(LICENTIA_NOT_LICENSED, licentia_seat_renew(seat, &error));
  EXPECT(LICENTIA_OK, licentia_seat_release(seat, &error));
  EXPECT(LICENTIA_OK, licentia_installation_apply(held, metered->text, metered->size, &error));
  licentia_installation_free(held);
  walk_held(seat);
  licentia_seat_free(seat);
  folder_remove(folder);
}

#endif
