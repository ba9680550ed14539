// This node's outgoing connection to one peer on one lane: dials, greets, sends, and dials again.
//
// The urgent lane connects at once and for ever; the bulk lane connects when there is something to
// send. Frames are kept while a first attempt is under way and dropped while the peer is known to
// be out of reach: the protocols above tolerate loss and would not want stale news.
// Single-threaded.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <asio/steady_timer.hpp>

#include "net/dial.h"
#include "net/frame_stream.h"
#include "net/mesh_commons.h"

namespace brigade::net {

class Link final : public FrameStream::Listener, public std::enable_shared_from_this<Link> {
 public:
  class Owner {
   public:
    virtual void link_up(const Link& link) = 0;
    // After link_up, or after an attempt that failed for another reason than the last one.
    virtual void link_down(const Link& link, const std::string& reason) = 0;

   protected:
    ~Owner() = default;
  };
  // Where a link leads.
  struct Target {
    base::NodeId peer;
    Purpose lane = Purpose::kUrgent;
    std::string address;
  };

  Link(MeshCommons& commons, Target target, Owner& owner);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Dials unless a connection exists or is under way.
  void open();
  // True if the frame was queued.
  bool send(std::string frame);
  // The peer is known to be alive: does not wait for the next retry.
  void hurry();
  // The peer lives elsewhere now.
  void redirect(const std::string& address);

  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] bool is_up() const { return up_; }

  void on_frame(const Frame& frame) override;
  void on_closed(const std::string& reason) override;

 private:
  void greet(asio::ip::tcp::socket socket);
  void greeted();
  void down(const std::string& reason);
  void retry_later();
  [[nodiscard]] bool has_room(std::size_t bytes, std::size_t frames, std::size_t more) const;

  MeshCommons& commons_;
  Target target_;
  Owner& owner_;
  std::shared_ptr<Dial> dial_;           // while dialling
  std::shared_ptr<FrameStream> stream_;  // while greeting or up
  asio::steady_timer retry_;
  bool retrying_ = false;  // waiting for retry_
  bool up_ = false;
  std::chrono::steady_clock::time_point up_since_;
  std::vector<std::string> pending_;  // until the connection is up
  std::size_t pending_bytes_ = 0;
  std::uint32_t failures_ = 0;  // in a row
  std::string last_reason_;
};

}  // namespace brigade::net
