// The desk: what front doors need of the process behind them. Implemented by the composition root.
//
// Threads: single-threaded; every call and every answer happens on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "node/acquire.h"
#include "node/admin.h"

namespace brigade::api {

// Which door a request came through; request time is measured per door.
enum class Door : std::uint8_t { kRedis, kHttp, kEnvoy };

// Somebody who waits for parked decisions: one connection.
class Waiter {
 public:
  virtual ~Waiter() = default;
  // The one answer to the parked request that carried this token.
  virtual void decided(std::uint64_t token, const node::Decision& decision) = 0;
  // The same for a settlement.
  virtual void settled(std::uint64_t token, const node::SettleReply& reply) = 0;
};

class Desk {
 public:
  virtual ~Desk() = default;

  // Requests between these two came in together: the clock reading that ends one decision begins
  // the next.
  virtual void begin_batch() {}
  virtual void end_batch() {}

  // Decides now, or parks the request, returns nullopt and later calls waiter.decided(token) once.
  // Tokens are the waiter's own names for its requests, unique while parked.
  virtual std::optional<node::Decision> acquire(Door door, const node::AcquireRequest& request,
                                                Waiter& waiter, std::uint64_t token) = 0;
  // All or nothing over several limits.
  virtual std::optional<node::Decision> acquire_all(Door door,
                                                    std::span<const node::AcquireRequest> requests,
                                                    Waiter& waiter, std::uint64_t token) = 0;
  virtual std::optional<node::Decision> throttle(Door door, const node::ThrottleRequest& request,
                                                 Waiter& waiter, std::uint64_t token) = 0;
  // Settles now, or has a shard's leader settle, returns nullopt and later calls
  // waiter.settled(token) once.
  virtual std::optional<node::SettleReply> settle(const node::ReservationId& id,
                                                  node::Tokens actual, Waiter& waiter,
                                                  std::uint64_t token) = 0;
  // The waiter is gone: nothing will be called on it any more; decisions that it waited for are
  // given up, settlements go on.
  virtual void abandon(Waiter& waiter) = 0;

  // Control plane: the answer comes later, once.
  virtual void admin(const node::AdminRequest& request,
                     std::function<void(const node::AdminReply&)> answer) = 0;
  virtual bool ready() const = 0;
  // What the node still waits for; empty when ready.
  virtual std::string not_ready_because() const = 0;
  // Prometheus text format 0.0.4.
  virtual std::string metrics() const = 0;
};

}  // namespace brigade::api
