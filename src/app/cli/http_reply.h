// Reads one HTTP/1.1 reply out of bytes as they arrive. Knows no socket.
// Source: RFC 9112, sections 2 to 7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace brigade::cli {

struct HttpReply {
  int status = 0;
  std::string body;
};

class HttpReplyReader {
 public:
  enum class State : std::uint8_t {
    kMore,    // the reply goes on
    kDone,    // reply() is whole; what follows is not looked at
    kBroken,  // this is no HTTP, ended early, or is above the limits
  };
  static constexpr std::size_t kHeadMax = std::size_t{64} << 10U;
  static constexpr std::size_t kBodyMax = std::size_t{64} << 20U;

  State feed(std::string_view bytes);
  // The server closed the connection.
  State ended();
  // Requires: the last state was kDone.
  [[nodiscard]] const HttpReply& reply() const { return reply_; }
  // Whether anything that looks like HTTP came: tells a cut connection from another protocol.
  [[nodiscard]] bool spoke_http() const { return spoke_http_; }

 private:
  enum class Stage : std::uint8_t {
    kHead,
    kLength,
    kUntilEnd,
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailer,
    kDone,
    kBroken,
  };

  // Whether there was enough to go on with.
  bool advance();
  bool read_head();
  void read_header(std::string_view line);
  bool take_body(Stage next);
  bool read_chunk_size();
  bool read_trailer();
  // The next line without its end; false when it is not whole yet.
  bool take_line(std::string& line);
  [[nodiscard]] State state() const;

  Stage stage_ = Stage::kHead;
  std::string pending_;       // bytes that are not used yet
  std::size_t expected_ = 0;  // bytes of the body or chunk that are still to come
  bool has_length_ = false;
  bool chunked_ = false;
  bool spoke_http_ = false;
  HttpReply reply_;
};

}  // namespace brigade::cli
