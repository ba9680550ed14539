// What operators are shown, as JSON: the shapes of interface.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "node/admin.h"

namespace brigade::api {

// GET /v1/status and `brigade status --json`.
nlohmann::ordered_json status_json(const node::StatusView& status);
// {"members":[...]} and {"shards":[...]}, as inside the status.
nlohmann::ordered_json members_json(const node::StatusView& status);
nlohmann::ordered_json shards_json(const node::StatusView& status);
// The entry of `limits` in the status; nullopt when there is no such limit.
std::optional<nlohmann::ordered_json> buckets_json(const node::StatusView& status,
                                                   std::string_view limit);
nlohmann::ordered_json override_json(const node::Override& override_);
// {"version","laggards":[...]}
nlohmann::ordered_json done_json(const node::Done& done);

// Never fails: bytes that are no UTF-8 are replaced.
std::string dump(const nlohmann::ordered_json& value);

}  // namespace brigade::api
