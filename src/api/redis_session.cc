#include "api/redis_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "api/redis_words.h"
#include "api/waits.h"
#include "base/wide.h"

namespace brigade::api {
namespace {

using node::Tokens;

constexpr const char* kThrottleForm =
    "CL.THROTTLE key max_burst>=0 count>0 period_seconds>0 [quantity>=0], whole numbers";

const char* refusal_text(node::Verdict verdict) {
  switch (verdict) {
    case node::Verdict::kUnknownLimit:
      return "ERR no such limit; declare it with `brigade limit apply`";
    case node::Verdict::kBadRequest:
      return "ERR expected a cost of at least 0, and an ID that is not older than what the limit "
             "remembers";
    case node::Verdict::kKeyMissing:
      return "ERR expected KEY: this limit has a bucket for each (per: key)";
    case node::Verdict::kKeyUnwanted:
      return "ERR expected no KEY: this limit has one bucket for all (no per: key)";
    case node::Verdict::kUnknownPriority:
      return "ERR the PRIORITY is none of this limit's classes; `brigade limit get` lists them";
    case node::Verdict::kIdUnwanted:
      return "ERR expected no ID: only a limit with `mode: strict` charges the same id once, this "
             "one would charge it every time";
    case node::Verdict::kDraining:
      return "UNAVAILABLE this node is drained and admits nothing: ask another one (`brigade drain "
             "--undo` has it take part again)";
    case node::Verdict::kNoRights:
      return "UNAVAILABLE no rights and no way to get any now";
    case node::Verdict::kTooManyKeys:
      return "ERR max_keys of this limit is reached";
    case node::Verdict::kTooManyWaiting:
      return "ERR too many requests wait for this limit";
    default:
      return nullptr;
  }
}

// The longest line of put_line().
constexpr std::size_t kLineMax = 24;

// A line of a whole number; returns its end.
char* put_line(char* at, char kind, std::int64_t value) {
  *at++ = kind;
  at = std::to_chars(at, at + kLineMax - 3, value).ptr;
  *at++ = '\r';
  *at++ = '\n';
  return at;
}

// What is no length: not all of it is here, or it is none.
constexpr std::int64_t kIncompleteLength = -1;
constexpr std::int64_t kBrokenLength = -2;

// A number of at most `most` up to CRLF; `at` moves behind that.
inline std::int64_t read_length(const char*& at, const char* end, std::int64_t most) {
  constexpr std::ptrdiff_t kDigitsMax = 16;
  const char* const begin = at;
  const char* next = begin;
  std::int64_t value = 0;
  for (; next != end && *next >= '0' && *next <= '9'; ++next) {
    value = value * 10 + (*next - '0');
    if (value > most || next - begin >= kDigitsMax) {
      return kBrokenLength;
    }
  }
  if (next == end || (next + 1 == end && *next == '\r')) {
    return kIncompleteLength;
  }
  if (next == begin || next[0] != '\r' || next[1] != '\n') {
    return kBrokenLength;
  }
  at = next + 2;
  return value;
}

base::Duration time_for(Tokens amount, std::int64_t count, std::int64_t period_s) {
  constexpr std::int64_t kNanoPerMicro = 1000;  // of a second, as of tokens
  const base::Wide ns = static_cast<base::Wide>(std::max<std::int64_t>(0, amount.micro())) *
                        period_s * kNanoPerMicro / count;
  return base::Duration(
      static_cast<std::int64_t>(std::min<base::Wide>(ns, base::Duration::max().count())));
}

}  // namespace

void RedisSession::end() {
  if (!std::exchange(ended_, true)) {
    desk_.abandon(*this);
  }
}

void RedisSession::add_number(std::int64_t value) {
  std::array<char, kLineMax> line;
  const char* const end = put_line(line.data(), ':', value);
  output_.append(line.data(), static_cast<std::size_t>(end - line.data()));
}

// In one piece: every append costs as much as the digits of a number.
void RedisSession::add_numbers(const Numbers& values) {
  std::array<char, (1 + std::tuple_size_v<std::array<std::int64_t, 5>>)*kLineMax> lines;
  char* end = put_line(lines.data(), '*', static_cast<std::int64_t>(values.size()));
  for (const std::int64_t value : values) {
    end = put_line(end, ':', value);
  }
  output_.append(lines.data(), static_cast<std::size_t>(end - lines.data()));
}

void RedisSession::add_bulk(std::string_view text) {
  output_ += '$';
  output_ += std::to_string(text.size());
  output_ += "\r\n";
  output_ += text;
  output_ += "\r\n";
}

void RedisSession::add_error(std::string_view text) {
  output_ += '-';
  // A client's own words may be quoted in it: they must not end the line.
  std::replace_copy_if(
      text.begin(), text.end(), std::back_inserter(output_),
      [](char c) { return c == '\r' || c == '\n'; }, ' ');
  output_ += "\r\n";
}

void RedisSession::add_null() {
  output_ += resp3_ ? "_\r\n" : "$-1\r\n";
}

void RedisSession::feed(std::string_view bytes) {
  if (closing_) {
    return;
  }
  if (at_ == input_.size()) {
    input_.clear();
    at_ = 0;
    if (input_.capacity() > 2 * kArgMax) {
      input_.shrink_to_fit();
    }
  } else if (at_ > kArgMax) {
    input_.erase(0, at_);
    at_ = 0;
  }
  input_ += bytes;
  run();
}

void RedisSession::run() {
  desk_.begin_batch();
  run_batch();
  desk_.end_batch();
}

void RedisSession::run_batch() {
  while (!closing_ && !waiting_ && at_ < input_.size()) {
    const std::size_t begin = at_;
    const Parsed parsed = parse();
    if (parsed == Parsed::kIncomplete) {
      at_ = begin;
      if (input_.size() - at_ > kFrameMax) {
        add_error("ERR Protocol error: request too large");
        closing_ = true;
      }
      return;
    }
    if (parsed == Parsed::kBroken) {
      closing_ = true;
      return;
    }
    if (!args_.empty()) {
      execute();
    }
  }
}

RedisSession::Parsed RedisSession::parse() {
  args_.clear();
  return input_[at_] == '*' ? parse_array() : parse_inline();
}

RedisSession::Parsed RedisSession::parse_inline() {
  const std::size_t end = input_.find('\n', at_);
  if (end == std::string::npos) {
    if (input_.size() - at_ > kArgMax) {
      add_error("ERR Protocol error: too big inline request");
      return Parsed::kBroken;
    }
    return Parsed::kIncomplete;
  }
  std::string_view line(input_.data() + at_, end - at_);
  at_ = end + 1;
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  while (!line.empty()) {
    const std::size_t space = line.find(' ');
    if (space != 0) {
      args_.push_back(line.substr(0, space));
    }
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
    if (args_.size() > kArgsMax) {
      add_error("ERR Protocol error: too many arguments");
      return Parsed::kBroken;
    }
  }
  return Parsed::kCommand;
}

RedisSession::Parsed RedisSession::broken(const char* why) {
  add_error(why);
  return Parsed::kBroken;
}

RedisSession::Parsed RedisSession::parse_array() {
  const char* at = input_.data() + at_ + 1;
  const char* const end = input_.data() + input_.size();
  const std::int64_t count = read_length(at, end, kArgsMax);
  if (count < 0) {
    return count == kIncompleteLength ? Parsed::kIncomplete
                                      : broken("ERR Protocol error: invalid multibulk length");
  }
  for (std::int64_t i = 0; i < count; ++i) {
    if (at == end) {
      return Parsed::kIncomplete;
    }
    if (*at != '$') {
      return broken("ERR Protocol error: expected '$'");
    }
    ++at;
    const std::int64_t size = read_length(at, end, kArgMax);
    if (size < 0) {
      return size == kIncompleteLength ? Parsed::kIncomplete
                                       : broken("ERR Protocol error: invalid bulk length");
    }
    if (end - at < size + 2) {
      return Parsed::kIncomplete;
    }
    args_.emplace_back(at, static_cast<std::size_t>(size));
    at += size;
    if (at[0] != '\r' || at[1] != '\n') {
      return broken("ERR Protocol error: a bulk string must end with CRLF");
    }
    at += 2;
  }
  at_ = static_cast<std::size_t>(at - input_.data());
  return Parsed::kCommand;
}

void RedisSession::execute() {
  const std::string_view name = args_.front();
  if (in_transaction_) {
    execute_in_transaction(name);
  } else if (same(name, "CL.THROTTLE")) {
    throttle();
  } else if (same(name, "BRIGADE.ACQUIRE")) {
    acquire(false);
  } else if (same(name, "BRIGADE.PEEK")) {
    acquire(true);
  } else if (same(name, "BRIGADE.SETTLE")) {
    settle();
  } else {
    execute_common(name);
  }
}

void RedisSession::execute_common(std::string_view name) {
  if (same(name, "PING")) {
    if (args_.size() > 1) {
      add_bulk(args_[1]);
    } else {
      add("+PONG\r\n");
    }
  } else if (same(name, "ECHO") && args_.size() == 2) {
    add_bulk(args_[1]);
  } else if (same(name, "HELLO")) {
    hello();
  } else if (same(name, "SELECT") && args_.size() == 2) {
    if (args_[1] == "0") {
      add("+OK\r\n");
    } else {
      add_error("ERR DB index is out of range; there is only database 0");
    }
  } else if (same(name, "AUTH")) {
    add_error("ERR no password is set");
  } else if (same(name, "CLIENT") || same(name, "RESET")) {
    add(same(name, "RESET") ? "+RESET\r\n" : "+OK\r\n");
  } else if (same(name, "COMMAND")) {
    add("*0\r\n");
  } else if (same(name, "CONFIG")) {
    config();
  } else if (same(name, "GET") && args_.size() == 2) {
    add_null();
  } else if (same(name, "INFO")) {
    add_bulk(info_);
  } else if (same(name, "MULTI")) {
    in_transaction_ = true;
    add_error(
        "ERR there are no transactions here, nothing up to EXEC is run: pipeline without MULTI "
        "(redis-py: pipeline(transaction=False)); several limits at once: POST /v1/acquire");
  } else if (same(name, "QUIT")) {
    add("+OK\r\n");
    closing_ = true;
  } else {
    add_error("ERR unknown command or wrong number of arguments for '" +
              std::string(name.substr(0, 64)) +
              "'; limits are asked with CL.THROTTLE, BRIGADE.ACQUIRE, BRIGADE.PEEK and "
              "BRIGADE.SETTLE");
  }
}

// Clients send MULTI, what is in it and EXEC in one go and read the answers afterwards: what
// follows a refused MULTI must not be charged.
void RedisSession::execute_in_transaction(std::string_view name) {
  if (same(name, "EXEC")) {
    add_error("EXECABORT Transaction discarded: there are no transactions here");
  } else if (same(name, "DISCARD")) {
    add("+OK\r\n");
  } else if (same(name, "RESET") || same(name, "QUIT")) {
    execute_common(name);
  } else {
    add_error("ERR not run: it follows MULTI, which is refused here; EXEC or DISCARD ends that");
    return;
  }
  in_transaction_ = false;
}

// redis-benchmark asks for `save` and `appendonly`.
void RedisSession::config() {
  const bool save = args_.size() == 3 && same(args_[2], "SAVE");
  if (!save && !(args_.size() == 3 && same(args_[2], "APPENDONLY"))) {
    add(resp3_ ? "%0\r\n" : "*0\r\n");
    return;
  }
  add(resp3_ ? "%1\r\n" : "*2\r\n");
  add_bulk(args_[2]);
  add_bulk(save ? "" : "no");
}

void RedisSession::hello() {
  if (args_.size() > 1) {
    std::int64_t version = 0;
    if (!to_integer(args_[1], version) || (version != 2 && version != 3)) {
      add_error("NOPROTO unsupported protocol version");
      return;
    }
    resp3_ = version == 3;
  }
  add(resp3_ ? "%5\r\n" : "*10\r\n");
  add_bulk("server");
  add_bulk("brigade");
  add_bulk("version");
  add_bulk("7.0.0");
  add_bulk("proto");
  add_number(resp3_ ? 3 : 2);
  add_bulk("mode");
  add_bulk("standalone");
  add_bulk("role");
  add_bulk("master");
}

void RedisSession::throttle() {
  node::ThrottleRequest request;
  if (args_.size() != 5 && args_.size() != 6) {
    add_error(std::string("ERR wrong number of arguments: expected ") + kThrottleForm);
    return;
  }
  request.key = args_[1];
  const bool fine = to_integer(args_[2], request.max_burst) &&
                    to_integer(args_[3], request.count) && to_integer(args_[4], request.period_s) &&
                    (args_.size() == 5 || to_integer(args_[5], request.quantity));
  constexpr std::int64_t kMost = Tokens::kMaxMicro / Tokens::kMicro - 2;
  constexpr std::int64_t kCentury = std::int64_t{100} * 366 * 86'400;
  if (!fine || request.key.empty() || request.max_burst < 0 || request.max_burst > kMost ||
      request.count <= 0 || request.count > kMost || request.period_s <= 0 ||
      request.period_s > kCentury || request.quantity < 0 || request.quantity > kMost) {
    add_error(std::string("ERR expected ") + kThrottleForm);
    return;
  }
  const std::uint64_t token = next_token_++;
  const Refill refill{.count = request.count, .period_s = request.period_s};
  if (const auto decision = desk_.throttle(Door::kRedis, request, *this, token)) {
    reply_throttle(*decision, refill);
  } else {
    waiting_ = {.token = token, .shape = Shape::kThrottle, .refill = refill};
  }
}

void RedisSession::acquire(bool peek) {
  node::AcquireRequest request{.peek = peek};
  if (args_.size() < 2) {
    add_error(std::string("ERR expected ") + acquire_form(peek));
    return;
  }
  request.limit = args_[1];
  if (const auto wrong = read_options(std::span(args_).subspan(2), request)) {
    add_error("ERR " + *wrong);
    return;
  }
  const std::uint64_t token = next_token_++;
  if (const auto decision = desk_.acquire(Door::kRedis, request, *this, token)) {
    reply_acquire(*decision);
  } else {
    waiting_ = {.token = token, .shape = Shape::kAcquire};
  }
}

void RedisSession::settle() {
  node::ReservationId id;
  Tokens actual;
  if (args_.size() != 3 || !node::parse(args_[1], id) || !to_tokens(args_[2], actual)) {
    add_error(
        "ERR expected BRIGADE.SETTLE reservation actual_cost, with the reservation's whole id");
    return;
  }
  const std::uint64_t token = next_token_++;
  if (const auto settled = desk_.settle(id, actual, *this, token)) {
    reply_settle(*settled);
  } else {
    waiting_ = {.token = token, .shape = Shape::kSettle};
  }
}

void RedisSession::reply_settle(const node::SettleReply& settled) {
  switch (settled.verdict) {
    case node::SettleVerdict::kSettled:
      add("*2\r\n");
      add_number(settled.refunded.floor());
      add_number(settled.overdraft.floor());
      return;
    case node::SettleVerdict::kConflict:
      add_error("CONFLICT this reservation was settled before");
      return;
    case node::SettleVerdict::kNoWay:
      add_error("TRYAGAIN no leader answered: the reservation may be settled again");
      return;
    default:
      add_error("ERR no such reservation at this node");
  }
}

void RedisSession::decided(std::uint64_t token, const node::Decision& decision) {
  if (!waiting_ || waiting_->token != token) {
    return;
  }
  const Pending pending = *waiting_;
  waiting_.reset();
  if (pending.shape == Shape::kThrottle) {
    reply_throttle(decision, pending.refill);
  } else {
    reply_acquire(decision);
  }
  run();
}

void RedisSession::settled(std::uint64_t token, const node::SettleReply& reply) {
  if (!waiting_ || waiting_->token != token) {
    return;
  }
  waiting_.reset();
  reply_settle(reply);
  run();
}

void RedisSession::reply_throttle(const node::Decision& decision, const Refill& refill) {
  if (const char* refusal = refusal_text(decision.verdict)) {
    add_error(refusal);
    return;
  }
  const bool waits = decision.verdict == node::Verdict::kRefused;
  // From the client's own numbers, which may be no whole nano-tokens a second.
  const auto full = time_for(decision.burst - decision.remaining, refill.count, refill.period_s);
  add_numbers({decision.admitted() ? 0 : 1, decision.burst.floor(),
               std::max<std::int64_t>(0, decision.remaining.floor()),
               waits ? std::max<std::int64_t>(1, seconds_up(decision.retry_after)) : -1,
               seconds_until_full(full)});
}

void RedisSession::reply_acquire(const node::Decision& decision) {
  if (const char* refusal = refusal_text(decision.verdict)) {
    add_error(refusal);
    return;
  }
  add("*5\r\n");
  add_number(decision.admitted() ? 1 : 0);
  add_number(std::max<std::int64_t>(0, decision.remaining.floor()));
  if (decision.admitted()) {
    add_number(-1);
  } else if (decision.verdict == node::Verdict::kNever) {
    add_number(-2);
  } else {
    add_number(std::max<std::int64_t>(1, milliseconds_up(decision.retry_after)));
  }
  add_bulk(node::to_text(decision.source));
  if (decision.reservation.sequence != 0) {
    add_bulk(node::to_text(decision.reservation));
  } else {
    add_null();
  }
}

}  // namespace brigade::api
