#include "app/replay/trace.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "app/lines.h"
#include "app/replay/access_log.h"
#include "app/replay/decimal.h"

namespace brigade::replay {
namespace {

using base::Error;
using base::Result;
using base::Status;

enum class Format : std::uint8_t { kUnknown, kCsv, kAccessLog };

constexpr const char* kExpected =
    "expected CSV (a header that names t_s, key and cost, or lines such as 12.5,key,1) or an "
    "access log in the common format";

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  return "'" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "...'" : "'");
}

// The fields of one line; nullopt when a quote does not end.
std::optional<std::vector<std::string>> split_csv(std::string_view line) {
  std::vector<std::string> fields(1);
  bool in_quotes = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_quotes && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"' && (in_quotes || fields.back().empty())) {
      in_quotes = !in_quotes;
    } else if (c == ',' && !in_quotes) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return in_quotes ? std::nullopt : std::optional(std::move(fields));
}

// Where the columns are; npos: there is none.
struct Columns {
  static constexpr std::size_t kNone = std::string::npos;
  std::size_t time = 0;
  std::size_t key = 1;
  std::size_t cost = 2;
  std::size_t count = 0;  // fields per line; 0: any number up to three
};

class TraceReader {
 public:
  explicit TraceReader(const std::string& source) : place_(source) {}

  Status line(std::string_view text) {
    if (!place_.next(text)) {
      return base::ok();
    }
    if (text.starts_with("\x1F\x8B")) {
      return place_.wrong("is compressed: decompress it first, for example zcat " +
                          place_.source() + " | brigade replay -");
    }
    if (format_ == Format::kUnknown) {
      format_ = parse_log_line(text) ? Format::kAccessLog : Format::kCsv;
      if (format_ == Format::kCsv) {
        return first_csv(text);
      }
    }
    return format_ == Format::kCsv ? csv(text) : access_log(text);
  }

  Result<Trace> finish() {
    if (trace_.requests.empty()) {
      return Error{place_.source() + ": no request in it; " + kExpected};
    }
    std::vector<TraceRequest>& requests = trace_.requests;
    const auto earlier = [](const TraceRequest& a, const TraceRequest& b) { return a.at < b.at; };
    if (!std::is_sorted(requests.begin(), requests.end(), earlier)) {
      sort_by_time();
    }
    const Duration first = requests.front().at;
    for (TraceRequest& request : requests) {
      request.at -= first;
    }
    return std::move(trace_);
  }

 private:
  void sort_by_time() {
    std::vector<std::pair<Duration, std::size_t>> order;
    order.reserve(trace_.requests.size());
    for (std::size_t i = 0; i < trace_.requests.size(); ++i) {
      order.emplace_back(trace_.requests[i].at, i);
    }
    std::sort(order.begin(), order.end());
    std::vector<TraceRequest> sorted;
    sorted.reserve(order.size());
    for (const auto& entry : order) {
      sorted.push_back(trace_.requests[entry.second]);
    }
    trace_.requests = std::move(sorted);
  }

  Status first_csv(std::string_view text) {
    const auto fields = split_csv(text);
    if (!fields) {
      return place_.wrong("a quote does not end");
    }
    if (parse_scaled(fields->front(), 9, true)) {
      return csv(text);
    }
    columns_ = {.time = Columns::kNone,
                .key = Columns::kNone,
                .cost = Columns::kNone,
                .count = fields->size()};
    const std::array<std::pair<std::string_view, std::size_t*>, 3> known{
        {{"t_s", &columns_.time}, {"key", &columns_.key}, {"cost", &columns_.cost}}};
    if (std::find(fields->begin(), fields->end(), "t_s") == fields->end()) {
      return place_.wrong(std::string(kExpected) + ", got " + in_quotes(text));
    }
    for (std::size_t i = 0; i < fields->size(); ++i) {
      const auto found = std::find_if(known.begin(), known.end(), [&](const auto& column) {
        return column.first == (*fields)[i];
      });
      if (found == known.end() || *found->second != Columns::kNone) {
        return place_.wrong("column " + in_quotes((*fields)[i]) +
                            ": expected t_s, key and cost, each once");
      }
      *found->second = i;
    }
    return base::ok();
  }

  Status csv(std::string_view text) {
    const auto fields = split_csv(text);
    if (!fields) {
      return place_.wrong("a quote does not end");
    }
    if (columns_.count == 0 ? fields->size() > 3 : fields->size() != columns_.count) {
      return place_.wrong(
          "expected " +
          (columns_.count == 0 ? "t_s,key,cost" : std::to_string(columns_.count) + " fields") +
          ", got " + in_quotes(text));
    }
    const auto field = [&](std::size_t column) {
      return column < fields->size() ? std::string_view((*fields)[column]) : std::string_view();
    };
    const auto time = parse_scaled(field(columns_.time), 9, true);
    if (!time || *time > kSecondsMax * 1'000'000'000) {
      return place_.wrong("t_s " + in_quotes(field(columns_.time)) +
                          ": expected seconds from the start, such as 12.5");
    }
    const std::string_view said = field(columns_.cost);
    const auto cost = said.empty() ? std::optional(Tokens::kMicro) : parse_scaled(said, 6, false);
    if (!cost || *cost > Tokens::kMaxMicro) {
      return place_.wrong("cost " + in_quotes(said) +
                          ": expected tokens from 0 to 1e12 with at most six decimals");
    }
    return add(Duration(*time), field(columns_.key), Tokens::micro(*cost));
  }

  Status access_log(std::string_view text) {
    const auto parsed = parse_log_line(text);
    if (!parsed || parsed->second > kSecondsMax) {
      return place_.wrong("expected `host ident user [10/Oct/2000:13:55:36 -0700] ...`, got " +
                          in_quotes(text));
    }
    return add(base::seconds(parsed->second), parsed->host, Tokens::whole(1));
  }

  Status add(Duration at, std::string_view key, Tokens cost) {
    if (key.size() > kKeyBytesMax) {
      return place_.wrong("a key of more than " + std::to_string(kKeyBytesMax) + " bytes");
    }
    if (trace_.requests.size() == kRequestsMax) {
      return place_.wrong("more than " + std::to_string(kRequestsMax) + " requests");
    }
    total_ += cost;
    if (total_.micro() > Tokens::kMaxMicro) {
      return place_.wrong("the costs so far are more than 1e12 tokens together");
    }
    const auto [entry, fresh] =
        key_index_.try_emplace(std::string(key), static_cast<std::uint32_t>(trace_.keys.size()));
    if (fresh) {
      trace_.keys.emplace_back(key);
    }
    trace_.requests.push_back({.at = at, .key = entry->second, .cost = cost});
    return base::ok();
  }

  app::Place place_;
  Format format_ = Format::kUnknown;
  Columns columns_;
  Tokens total_;
  std::unordered_map<std::string, std::uint32_t> key_index_;
  Trace trace_;
};

}  // namespace

Result<Trace> read_trace(std::istream& in, const std::string& source) {
  return app::read_lines<TraceReader>(in, source);
}

Result<Trace> read_trace_file(const std::string& path) {
  return app::read_lines_of<TraceReader>(path);
}

}  // namespace brigade::replay
