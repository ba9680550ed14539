// One client of the Redis protocol (RESP2, RESP3, inline commands): bytes in, bytes out, no socket.
//
// Commands are answered in order; a parked decision holds back what follows it on this connection.
// Malformed input is answered with -ERR and ends the connection. Limits: kFrameMax, kArgsMax,
// kArgMax. Source: the Redis serialization protocol specification; CL.THROTTLE as in redis-cell.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/desk.h"

namespace brigade::api {

class RedisSession final : public Waiter {
 public:
  static constexpr std::size_t kFrameMax = std::size_t{256} << 10U;
  static constexpr std::size_t kArgsMax = 64;
  static constexpr std::size_t kArgMax = std::size_t{64} << 10U;

  // `info`: what INFO prints. Both outlive the session.
  RedisSession(Desk& desk, const std::string& info) : desk_(desk), info_(info) {}
  ~RedisSession() override { end(); }
  // Nobody waits for an answer any more; the desk is not touched after this.
  void end();
  RedisSession(const RedisSession&) = delete;
  RedisSession& operator=(const RedisSession&) = delete;

  // Takes bytes from the client and runs what is complete, unless a decision is awaited.
  void feed(std::string_view bytes);
  // What to send; the caller clears what it took.
  std::string& output() { return output_; }
  // Nothing more will come: send the output, then close.
  [[nodiscard]] bool closing() const { return closing_; }
  // Input that waits behind a parked decision, in bytes.
  [[nodiscard]] std::size_t backlog() const { return input_.size() - at_; }
  [[nodiscard]] bool waiting() const { return waiting_.has_value(); }
  // Memory for input and output, in bytes.
  [[nodiscard]] std::size_t held() const { return input_.capacity() + output_.capacity(); }

  void decided(std::uint64_t token, const node::Decision& decision) override;
  void settled(std::uint64_t token, const node::SettleReply& reply) override;

 private:
  enum class Shape : std::uint8_t { kThrottle, kAcquire, kSettle };
  // How many tokens come in so many seconds.
  struct Refill {
    std::int64_t count = 1;
    std::int64_t period_s = 1;
  };
  struct Pending {
    std::uint64_t token = 0;
    Shape shape = Shape::kThrottle;
    Refill refill = {};  // of kThrottle
  };
  enum class Parsed : std::uint8_t { kCommand, kIncomplete, kBroken };

  void run();
  void run_batch();
  Parsed parse();
  Parsed parse_array();
  Parsed broken(const char* why);
  Parsed parse_inline();
  void execute();
  void execute_common(std::string_view name);
  void config();
  void hello();
  void throttle();
  void acquire(bool peek);
  void settle();
  void execute_in_transaction(std::string_view name);
  void reply_throttle(const node::Decision& decision, const Refill& refill);
  void reply_acquire(const node::Decision& decision);
  void reply_settle(const node::SettleReply& settled);

  void add(std::string_view text) { output_ += text; }
  void add_number(std::int64_t value);
  // An array of them.
  using Numbers = std::array<std::int64_t, 5>;
  void add_numbers(const Numbers& values);
  void add_bulk(std::string_view text);
  void add_error(std::string_view text);
  void add_null();

  bool ended_ = false;
  Desk& desk_;
  const std::string& info_;
  std::string input_;
  std::size_t at_ = 0;
  std::vector<std::string_view> args_;  // point into input_ while a command runs
  std::string output_;
  bool closing_ = false;
  bool resp3_ = false;
  bool in_transaction_ = false;  // MULTI was refused: nothing is run until EXEC or DISCARD
  std::uint64_t next_token_ = 1;
  std::optional<Pending> waiting_;
};

}  // namespace brigade::api
