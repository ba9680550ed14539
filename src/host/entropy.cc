#include "host/entropy.h"

#include <cerrno>

#include <sys/random.h>

#include "base/check.h"

namespace brigade::host {

std::uint64_t draw_seed() {
  std::uint64_t bits = 0;
  ssize_t got = 0;
  do {  // interrupted before the pool is initialised: ask again
    got = getrandom(&bits, sizeof(bits), 0);
  } while (got < 0 && errno == EINTR);
  // Up to 256 bytes are never delivered in part.
  BRIGADE_CHECK(got == static_cast<ssize_t>(sizeof(bits)));
  return bits;
}

base::Boot draw_boot() {
  return {draw_seed(), draw_seed()};
}

base::NodeId draw_node_id() {
  constexpr std::uint64_t k48Bits = (std::uint64_t{1} << 48) - 1;
  std::uint64_t id = 0;
  while (id == 0) {
    id = draw_seed() & k48Bits;
  }
  return base::NodeId(id);
}

}  // namespace brigade::host
