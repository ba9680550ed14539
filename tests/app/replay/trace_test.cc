#include "app/replay/trace.h"

#include <sstream>

#include <doctest/doctest.h>

#include "app/replay/access_log.h"
#include "app/replay/decimal.h"

namespace brigade::replay {
namespace {

base::Result<Trace> read(const std::string& text) {
  std::istringstream in(text);
  return read_trace(in, "trace.csv");
}

std::string error_of(const std::string& text) {
  const auto trace = read(text);
  return trace ? "no error" : trace.error().message;
}

TEST_SUITE("app/replay/trace") {
  TEST_CASE("a trace with a header is read exactly, to the nanosecond and the micro-token") {
    const auto trace = read("t_s,key,cost\n10.5,a,2\n10.500000001,b,0.25\n11,a,\n");
    REQUIRE(trace.has_value());
    REQUIRE(trace->requests.size() == 3);
    CHECK(trace->keys == std::vector<std::string>{"a", "b"});
    CHECK(trace->requests[0].at == Duration(0));
    CHECK(trace->requests[1].at == Duration(1));
    CHECK(trace->requests[2].at == base::milliseconds(500));
    CHECK(trace->requests[1].cost == Tokens::micro(250'000));
    CHECK(trace->requests[2].cost == Tokens::whole(1));
    CHECK(trace->requests[2].key == trace->requests[0].key);
  }

  TEST_CASE("a header may name columns in another order and leave out key and cost") {
    const auto swapped = read("cost,t_s\r\n3,1\r\n4,2\r\n");
    REQUIRE(swapped.has_value());
    CHECK(swapped->requests[1].cost == Tokens::whole(4));
    CHECK(swapped->requests[1].at == base::seconds(1));
    CHECK(swapped->keys == std::vector<std::string>{""});
    const auto times = read("\xEF\xBB\xBFt_s\n1\n2\n");
    REQUIRE(times.has_value());
    CHECK(times->requests[1].cost == Tokens::whole(1));
  }

  TEST_CASE("a trace without a header is t_s, key, cost") {
    const auto trace = read("# made by hand\n\n0.1,x,5\n0.2\n0.3,\"a,\"\"b\"\n");
    REQUIRE(trace.has_value());
    REQUIRE(trace->requests.size() == 3);
    CHECK(trace->requests[0].cost == Tokens::whole(5));
    CHECK(trace->keys == std::vector<std::string>{"x", "", "a,\"b"});
  }

  TEST_CASE("requests that are not in order are sorted by time, equal times stay in order") {
    const auto trace = read("5,a\n3,b\n5,c\n3,d\n");
    REQUIRE(trace.has_value());
    std::string order;
    for (const TraceRequest& request : trace->requests) {
      order += trace->keys[request.key];
    }
    CHECK(order == "bdac");
    CHECK(trace->requests[2].at == base::seconds(2));
  }

  TEST_CASE("an access log gives the client's host as key and cost 1") {
    const auto trace = read(
        "10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a.gif HTTP/1.0\" 200 2326\n"
        "host.example - frank [10/Oct/2000:20:55:38 +0000] \"GET / HTTP/1.0\" 200 5 \"-\" \"x\"\n");
    REQUIRE(trace.has_value());
    REQUIRE(trace->requests.size() == 2);
    CHECK(trace->keys == std::vector<std::string>{"10.0.0.1", "host.example"});
    CHECK(trace->requests[1].at == base::seconds(2));
    CHECK(trace->requests[1].cost == Tokens::whole(1));
    const auto line = parse_log_line("h - - [10/Oct/2000:13:55:36 -0700] x");
    REQUIRE(line.has_value());
    CHECK(line->second == 971'211'336);
    CHECK(!parse_log_line("h - - [31/Feb/2000:13:55:36 -0700] x").has_value());
  }

  TEST_CASE("what does not fit is an error that names file, line and what was expected") {
    CHECK(error_of("t_s,key,cost\n1,a,1\n2,b,many\n").starts_with("trace.csv:3: cost 'many': "));
    CHECK(error_of("t_s,key,cost\n1,a,0.0000001\n").find("at most six decimals") !=
          std::string::npos);
    CHECK(error_of("t_s,key,cost\n-1,a,1\n").starts_with("trace.csv:2: t_s '-1': "));
    CHECK(error_of("t_s,key,cost\n1,a\n").starts_with("trace.csv:2: expected 3 fields"));
    CHECK(error_of("1,a,1,x\n").starts_with("trace.csv:1: expected t_s,key,cost"));
    CHECK(error_of("t_s,prompt_tokens\n").starts_with("trace.csv:1: column 'prompt_tokens'"));
    CHECK(error_of("t_s,key,key\n").starts_with("trace.csv:1: column 'key'"));
    CHECK(error_of("time,key\n").starts_with("trace.csv:1: expected CSV"));
    CHECK(error_of("1,\"a\n").starts_with("trace.csv:1: a quote does not end"));
    CHECK(error_of("1," + std::string(5000, 'k') + "\n").find("4096 bytes") != std::string::npos);
    CHECK(error_of("\x1F\x8B\b").find("zcat trace.csv") != std::string::npos);
    CHECK(error_of("t_s,key,cost\n").starts_with("trace.csv: no request"));
    CHECK(
        error_of("h - - [10/Oct/2000:13:55:36 -0700] x\nnonsense\n").starts_with("trace.csv:2: "));
    CHECK(error_of("1,a,1000000000000\n2,a,1000000000000\n").starts_with("trace.csv:2: the costs"));
    CHECK(!read_trace_file("/no/such/trace.csv").has_value());
  }

  TEST_CASE("decimals are scaled exactly or not at all") {
    CHECK(parse_scaled("12.5", 3, false) == 12'500);
    CHECK(parse_scaled("0.0004", 3, true) == 0);
    CHECK(!parse_scaled("0.0004", 3, false).has_value());
    CHECK(parse_scaled("7.500000000", 1, false) == 75);
    for (const char* text : {"", ".", "-1", "1e3", "1.2.3", " 1", "5000000000000000000"}) {
      CAPTURE(text);
      CHECK(!parse_scaled(text, 0, true).has_value());
    }
  }
}

}  // namespace
}  // namespace brigade::replay
