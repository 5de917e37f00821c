// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// verify_trace names the members that a trace forgot, and no others.

#include <cstddef>
#include <string>

#include "tests/refgc/objects.h"

namespace refgc_test {

struct VerifyGood {
  ref<VerifyGood> next;
  VerifyGood* borrowed = nullptr;
  std::string name = "in itself";
  REFGC_TRACE(next)
};
struct VerifyForgetful {
  std::string name;
  ref<VerifyForgetful> traced;
  ref<VerifyGood> forgotten;
  REFGC_TRACE(traced)
};
struct VerifyOpaque {
  int number = 0;
  std::pair<int, std::array<void*, 2>> raw{};
  REFGC_TRACE(raw)
};

namespace {

class RefgcVerify : public QuietHeap {};

TEST_F(RefgcVerify, SilentWhereAllIsTraced) {
  auto a = make<VerifyGood>();
  a->next = make<VerifyGood>();
  a->borrowed = a->next.get();
  a->next->borrowed = a.get();
  EXPECT_TRUE(refgc::verify_trace(a).empty()) << "all counts are explained";
  EXPECT_TRUE(refgc::verify_trace(ref<VerifyGood>()).empty());
  a->next->borrowed = nullptr;
  EXPECT_TRUE(refgc::verify_all().empty());
}

TEST_F(RefgcVerify, NamesTypeAndOffset) {
  auto a = make<VerifyForgetful>();
  a->forgotten = make<VerifyGood>();
  a->traced = make<VerifyForgetful>();
  a->traced->forgotten = a->forgotten;
  const auto findings = refgc::verify_trace(a);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].object, a);
  EXPECT_EQ(findings[0].offset, offsetof(VerifyForgetful, forgotten));
  EXPECT_EQ(findings[0].text(), "type refgc_test::VerifyForgetful: word at offset " +
                                    std::to_string(offsetof(VerifyForgetful, forgotten)) +
                                    " refers to a refgc_test::VerifyGood and is not traced");
  EXPECT_EQ(refgc::verify_all().size(), 1u) << "each place once";
}

TEST_F(RefgcVerify, NamesAnOpaqueMember) {
  auto a = make<VerifyOpaque>();
  auto b = make<VerifyGood>();
  a->raw.second[1] = b.get();  // a borrowed pointer to what a variable holds: looks the same
  const auto findings = refgc::verify_trace(a);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].member, "raw");
  a->raw.second[1] = nullptr;
}

}  // namespace
}  // namespace refgc_test
