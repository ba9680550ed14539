// The one thread that waits for the disk: turns queue up, everything that waits goes into one
// synced write, and completions return to the loop in order.
//
// Threads: submit() on the loop's; completions run there too. Limits: bounded by what the node has
// in flight. A failed write is final (storage/disk.h): `failed` is called once, on the loop.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <asio/io_context.hpp>

#include "storage/disk.h"

namespace brigade::app {

class StorageThread {
 public:
  StorageThread(asio::io_context& io, std::unique_ptr<storage::Disk> disk,
                std::function<void(const base::Error&)> failed);
  // Writes what was submitted, then ends; completions that are not delivered yet are dropped.
  ~StorageThread();
  StorageThread(const StorageThread&) = delete;
  StorageThread& operator=(const StorageThread&) = delete;

  void submit(storage::Turn turn, std::function<void()> done);

 private:
  struct Job {
    storage::Turn turn;
    std::function<void()> done;
  };
  void run();

  asio::io_context& io_;
  std::unique_ptr<storage::Disk> disk_;
  std::function<void(const base::Error&)> failed_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the loop's thread only
  std::mutex mutex_;
  std::condition_variable work_;
  std::vector<Job> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace brigade::app
