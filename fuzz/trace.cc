// Traces and access logs: an error with a place, or requests in the order of time.
#include "app/replay/trace.h"

#include <sstream>

#include "fuzz/bytes.h"

using namespace brigade;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in{std::string(fuzz::text(data, size))};
  const auto trace = replay::read_trace(in, "trace");
  if (!trace) {
    fuzz::require(trace.error().message.starts_with("trace"));
    return 0;
  }
  base::Duration last{0};
  for (const replay::TraceRequest& request : trace->requests) {
    fuzz::require(request.at >= last && request.key < trace->keys.size() &&
                  request.cost >= base::Tokens{});
    last = request.at;
  }
  return 0;
}
