// POST /v1/acquire and POST /v1/settle: bodies to requests, decisions to answers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"
#include "base/result.h"
#include "node/acquire.h"

namespace brigade::api {

// One acquire with its own copies of the texts.
struct AcquireItem {
  std::string limit;
  std::string key;
  std::string priority;
  std::string id;
  base::Tokens cost = base::Tokens::whole(1);
  base::Duration wait{0};
  bool reserve = false;

  // A view of this item; valid as long as the item is neither moved nor changed.
  [[nodiscard]] node::AcquireRequest request() const;
};

struct AcquireBody {
  std::vector<AcquireItem> items;  // never empty
  bool all = false;                // came as {"all":[...]}
};

// Errors say which field is wrong. At most 32 items with `all`, keys of at most 64 KiB.
base::Result<AcquireBody> read_acquire(std::string_view body);

// The answer to an acquire of `limits` (names in request order). RateLimit and RateLimit-Policy are
// those of draft-ietf-httpapi-ratelimit-headers-09; seconds are rounded up.
HttpResponse acquire_response(std::span<const std::string> limits, bool all,
                              const node::Decision& decision);

struct SettleBody {
  node::ReservationId reservation;
  base::Tokens cost;
};
base::Result<SettleBody> read_settle(std::string_view body);
HttpResponse settle_response(const node::SettleReply& reply);

}  // namespace brigade::api
