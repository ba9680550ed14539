// What operators do by hand: what is senseless about it, and overrides as the token store keeps
// them.
#pragma once

#include <optional>
#include <string>

#include "bucket/limit_spec.h"
#include "node/admin.h"
#include "node/commands.h"

namespace brigade::node {

[[nodiscard]] SetOverride command_of(const Override& o, NodeId node);
[[nodiscard]] Override view_of(const SetOverride& o, std::string node);

// Why it is refused; nullopt when it is not. `spec` is null for a limit that is not declared, an
// invalid NodeId stands for a name that no member has.
[[nodiscard]] std::optional<Refusal> mistake_in(const DeleteLimit& erase,
                                                const bucket::LimitSpec* spec);
[[nodiscard]] std::optional<Refusal> mistake_in(const Override& o, const bucket::LimitSpec* spec,
                                                NodeId node);
[[nodiscard]] std::optional<Refusal> mistake_in(const DeleteOverride& clear,
                                                const bucket::LimitSpec* spec, NodeId node);
[[nodiscard]] std::optional<Refusal> mistake_in(const Transfer& move, const bucket::LimitSpec* spec,
                                                NodeId from, NodeId to);
// What to say of an override to be cleared that does not exist.
[[nodiscard]] Refusal not_there(const DeleteOverride& clear);

}  // namespace brigade::node
