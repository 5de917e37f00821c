// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Publishing: what lies in the file, and who may write it.

#include "allocator/publish.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "allocator/allocator.h"
#include "allocator/books.h"
#include "allocator/directory.h"
#include "allocator/options.h"

namespace tally {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

// A file, read as a reader from outside does.
struct Published {
  explicit Published(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(stream), {});
    if (bytes.size() >= kStatsLeavesAt) {
      memcpy(&header, bytes.data(), sizeof(header));
      memcpy(&snapshot,
             bytes.data() + kStatsHeaderBytes + header.published % 2 * kStatsSnapshotBytes,
             sizeof(snapshot));
    }
  }

  std::vector<char> bytes;
  StatsHeader header{};
  StatsSnapshot snapshot{};
};

// RLIMIT_FSIZE for a while.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
};

class PublishTest : public ::testing::Test {
 protected:
  PublishTest() {
    std::string pattern = ::testing::TempDir() + "/tally-publish-XXXXXX";
    runtime_ = mkdtemp(pattern.data());
    path_ = runtime_ + "/tally/" + std::to_string(getpid());
    options.publish = 1;
    FillDirectory();
  }
  ~PublishTest() override {
    EndPublishing();
    options.publish = 0;
    options.publish_keep = 0;
    unlink(path_.c_str());
    rmdir((runtime_ + "/tally").c_str());
    rmdir(runtime_.c_str());
  }

  std::string runtime_;
  std::string path_;
};

TEST_F(PublishTest, TheFileIsWholeFromTheStart) {
  void* block = Allocate(48);
  StartPublishing(runtime_.c_str());
  const Published file(path_);
  ASSERT_EQ(file.header.magic, kStatsMagic);
  EXPECT_EQ(file.header.version, kStatsVersion);
  EXPECT_EQ(file.header.process, static_cast<uint64_t>(getpid()));
  EXPECT_EQ(file.header.published, 1u);
  EXPECT_EQ(file.header.directory.classes, tally_stats_directory.classes);
  EXPECT_EQ(file.snapshot.sequence, 1u);
  EXPECT_EQ(file.snapshot.checksum, StatsChecksum(file.snapshot));
  EXPECT_EQ(file.snapshot.books.identity.sum(), file.snapshot.books.mapped_bytes);
  EXPECT_GE(file.snapshot.books.classes[ClassFor(48)].live, 1u);
  EXPECT_GE(file.snapshot.leaves, 3u) << "a region, a heap, a thread";
  struct stat known {};
  ASSERT_EQ(stat(path_.c_str(), &known), 0);
  EXPECT_EQ(known.st_mode & 0777, 0600u);
  Free(block);
}

TEST_F(PublishTest, GoesAtTheEndUnlessItIsKept) {
  StartPublishing(runtime_.c_str());
  EndPublishing();
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
  options.publish_keep = static_cast<uint64_t>(getpid());
  StartPublishing(runtime_.c_str());
  void* block = Allocate(30 << 20);
  EndPublishing();
  const Published file(path_);
  EXPECT_EQ(file.header.state, static_cast<uint64_t>(StatsState::kEnded));
  EXPECT_GE(file.snapshot.books.huge.live, 1u) << "the last snapshot is of the end";
  Free(block);
}

TEST_F(PublishTest, SlowPathsWriteSnapshots) {
  StartPublishing(runtime_.c_str());
  std::vector<void*> blocks;
  Published file(path_);
  for (int i = 0; i < 3000 && file.header.published < 3; ++i) {
    for (int j = 0; j < 100; ++j) {
      blocks.push_back(Allocate(256));
    }
    usleep(1000);
    file = Published(path_);
  }
  EXPECT_GE(file.header.published, 3u);
  EXPECT_EQ(file.snapshot.checksum, StatsChecksum(file.snapshot));
  EXPECT_GT(file.snapshot.books.classes[ClassFor(256)].live, 0u);
  for (void* block : blocks) {
    Free(block);
  }
}

TEST_F(PublishTest, GrowsWithTheRegions) {
  std::vector<void*> blocks;
  blocks.reserve(64);
  for (int i = 0; i < 64; ++i) {  // 256 MiB: sixteen regions
    blocks.push_back(Allocate(4 << 20));
  }
  StartPublishing(runtime_.c_str());
  const Published file(path_);
  EXPECT_GE(file.snapshot.books.regions, 16u);
  EXPECT_GE(file.snapshot.leaves, file.snapshot.books.regions + 2);
  EXPECT_GE(file.bytes.size(), kStatsLeavesAt + file.snapshot.leaves * kStatsLeafBytes);
  StatsRegionLeaf leaf;
  memcpy(&leaf, file.bytes.data() + kStatsLeavesAt, sizeof(leaf));
  EXPECT_EQ(leaf.head.kind, LeafKind::kRegion);
  EXPECT_EQ(leaf.head.sequence, file.header.published);
  EXPECT_NE(memchr(leaf.occupancy, kPoolLarge, sizeof(leaf.occupancy)), nullptr);
  for (void* block : blocks) {
    Free(block);
  }
}

TEST_F(PublishTest, ADirectoryThatOthersMayWriteIsNotUsed) {
  ASSERT_EQ(mkdir((runtime_ + "/tally").c_str(), 0777), 0);
  ASSERT_EQ(chmod((runtime_ + "/tally").c_str(), 0777), 0);
  StartPublishing(runtime_.c_str());
  EXPECT_NE(access(path_.c_str(), F_OK), 0) << "it is in /dev/shm instead";
  const std::string other =
      "/dev/shm/tally-" + std::to_string(getuid()) + "/" + std::to_string(getpid());
  EXPECT_EQ(Published(other).header.magic, kStatsMagic);
  EndPublishing();
  EXPECT_NE(access(other.c_str(), F_OK), 0);
}

TEST_F(PublishTest, TheDirectoryCanBeChosen) {
  const std::string chosen = runtime_ + "/chosen";
  options.publish_dir = chosen.c_str();
  StartPublishing(nullptr);
  EXPECT_EQ(Published(chosen + "/" + std::to_string(getpid())).header.magic, kStatsMagic);
  EndPublishing();
  EXPECT_EQ(rmdir(chosen.c_str()), 0);
  const std::string missing = runtime_ + "/no/such/place";
  options.publish_dir = missing.c_str();
  CaptureStderr();
  StartPublishing(nullptr);
  EXPECT_EQ(GetCapturedStderr(), "tally: warning: TALLY_PUBLISH: " + missing +
                                     ": not a directory of this user alone; "
                                     "this process is not published\n");
  options.publish_dir = "";
}

// A limit on files, like a full file system: one line, and the program goes on.
TEST_F(PublishTest, NoRoomForTheFileAtTheStart) {
  const FileLimit limit(20000);
  CaptureStderr();
  StartPublishing(runtime_.c_str());
  EXPECT_EQ(GetCapturedStderr(), "tally: warning: TALLY_PUBLISH: " + path_ +
                                     ": no room in the file system; "
                                     "this process is not published\n");
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

TEST_F(PublishTest, NoRoomToGrowKeepsTheCounters) {
  StartPublishing(runtime_.c_str());
  const size_t bytes = Published(path_).bytes.size();
  const FileLimit limit(bytes);
  options.publish_keep = 1;
  std::vector<void*> blocks;
  blocks.reserve(200);
  for (int i = 0; i < 200; ++i) {  // 800 MiB: fifty regions
    blocks.push_back(Allocate(4 << 20));
  }
  EndPublishing();
  const Published file(path_);
  EXPECT_EQ(file.bytes.size(), bytes);
  EXPECT_EQ(file.snapshot.checksum, StatsChecksum(file.snapshot));
  EXPECT_GE(file.snapshot.books.large.live, 200u);
  EXPECT_LT(file.snapshot.leaves, file.snapshot.books.regions);
  for (void* block : blocks) {
    Free(block);
  }
}

TEST_F(PublishTest, NothingHappensUnasked) {
  options.publish = 0;
  StartPublishing(runtime_.c_str());
  PublishInChild();
  EXPECT_NE(access((runtime_ + "/tally").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace tally
