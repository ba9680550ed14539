// The Redis protocol: whatever a client sends, in whatever pieces, has the same answers.
#include "api/redis_session.h"
#include "fuzz/bytes.h"
#include "tests/api/scripted_desk.h"

using namespace brigade;

namespace {

struct Run {
  std::string output;
  bool closing = false;
};

Run run(const std::vector<std::string_view>& parts) {
  static const std::string info = "info";
  api::ScriptedDesk desk;
  desk.next = node::Decision{.verdict = node::Verdict::kRefused};
  api::RedisSession session(desk, info);
  for (const std::string_view part : parts) {
    session.feed(part);
    fuzz::require(session.closing() || session.backlog() <= api::RedisSession::kFrameMax);
  }
  return {.output = session.output(), .closing = session.closing()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) {
    return 0;
  }
  const std::string_view all = fuzz::text(data, size).substr(1);
  const Run whole = run({all});
  const Run cut = run(fuzz::pieces(all, data[0]));
  fuzz::require(whole.output == cut.output && whole.closing == cut.closing);
  return 0;
}
