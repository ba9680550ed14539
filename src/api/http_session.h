// One HTTP connection's requests: routes them to the desk, keeps those that wait for a decision.
//
// Threads: single-threaded (the loop's). Knows no socket: the server hands requests in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/desk.h"
#include "api/http_message.h"

namespace brigade::api {

class HttpSession final : public Waiter {
 public:
  // Called exactly once per request, at once or later; never after the session has ended, but for
  // control requests that the node answers afterwards.
  using Answer = std::function<void(HttpResponse)>;
  // Milliseconds since 1970.
  using WallClock = std::function<std::int64_t()>;

  // Requires: the desk outlives the session.
  HttpSession(Desk& desk, WallClock wall_clock);
  ~HttpSession() override;
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void handle(const HttpRequest& request, Answer answer);
  // The connection is gone: what waits is given up and not answered any more.
  void end();
  [[nodiscard]] std::size_t waiting() const { return parked_.size(); }

  void decided(std::uint64_t token, const node::Decision& decision) override;
  void settled(std::uint64_t token, const node::SettleReply& reply) override;

 private:
  struct Parked {
    std::vector<std::string> limits;
    bool all = false;
    Answer answer;
  };

  void acquire(const HttpRequest& request, Answer answer);
  void settle(const HttpRequest& request, Answer answer);
  [[nodiscard]] HttpResponse readiness() const;

  Desk& desk_;
  WallClock wall_clock_;
  std::uint64_t next_token_ = 1;
  std::unordered_map<std::uint64_t, Parked> parked_;
};

}  // namespace brigade::api
