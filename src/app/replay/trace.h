// A request trace as it is recorded: when, which key, what cost.
//
// Formats, told apart by the first line with content:
// * CSV `t_s,key,cost`. A header may name the columns in any order; without `key` all requests
// share
//   one, without `cost` it is 1. Without a header: t_s[,key[,cost]]. Fields may be quoted as in
//   RFC 4180, but not span lines.
// * an access log in the common or combined format: the key is the client's host, the cost is 1.
// Empty lines and lines that begin with '#' are skipped. Anything else that does not fit is an
// error that names source, line and what was expected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/tokens.h"

namespace brigade::replay {

using base::Duration;
using base::Tokens;

struct TraceRequest {
  Duration at{0};         // since the first request
  std::uint32_t key = 0;  // index into Trace::keys
  Tokens cost;            // >= 0
};

struct Trace {
  std::vector<TraceRequest> requests;  // by time; requests of one time in the order of the file
  std::vector<std::string> keys;       // in the order of their first line
};

// Bounds of one trace.
constexpr std::size_t kRequestsMax = 50'000'000;
constexpr std::size_t kKeyBytesMax = 4096;
// Seconds since the first request or the epoch: some 300 years, so that nanoseconds fit.
constexpr std::int64_t kSecondsMax = 9'000'000'000;

// `source` names the trace in errors.
base::Result<Trace> read_trace(std::istream& in, const std::string& source);
// "-" is standard input.
base::Result<Trace> read_trace_file(const std::string& path);

}  // namespace brigade::replay
