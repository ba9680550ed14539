// HTTP: whatever a client sends, in whatever pieces, is the same requests; each has one answer.
#include "api/http_request_reader.h"
#include "api/http_session.h"
#include "fuzz/bytes.h"
#include "tests/api/scripted_desk.h"

using namespace brigade;

namespace {

// What was understood, as text.
std::string run(const std::vector<std::string_view>& parts) {
  using State = api::HttpRequestReader::State;
  api::ScriptedDesk desk;
  desk.next = node::Decision{.verdict = node::Verdict::kRefused};
  api::HttpSession session(desk, [] { return 1; });
  api::HttpRequestReader reader({.body = 4096, .head = 1024});
  std::string log;
  for (std::string_view part : parts) {
    while (!part.empty()) {
      const auto fed = reader.feed(part);
      fuzz::require(fed.used <= part.size() && (fed.used > 0 || fed.state != State::kMore));
      part.remove_prefix(fed.used);
      if (fed.state == State::kRefused) {
        return log + "refused " + std::to_string(reader.refusal().status);
      }
      if (fed.state == State::kRequest) {
        int answers = 0;
        session.handle(reader.request(), [&](const api::HttpResponse& response) {
          ++answers;
          log += std::to_string(response.status) + ' ' + response.body + '\n';
        });
        fuzz::require(answers == 1);
      }
    }
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) {
    return 0;
  }
  const std::string_view all = fuzz::text(data, size).substr(1);
  fuzz::require(run({all}) == run(fuzz::pieces(all, data[0])));
  return 0;
}
