// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Text processing in C++: splits lines into words, counts them in a hash table, sorts, joins and
// copies them. Nearly every operation makes a short std::string that does not fit its own buffer.
// One thread.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/random.h"

namespace {

constexpr int kRounds = 40;
constexpr size_t kLines = 6000;
constexpr size_t kVocabulary = 30000;

std::vector<std::string> MakeVocabulary(bench::Random& random) {
  std::vector<std::string> words(kVocabulary);
  for (std::string& word : words) {
    word.resize(random.Skewed(6, 48));
    for (char& letter : word) letter = static_cast<char>('a' + random.Below(26));
  }
  return words;
}

std::string MakeLine(bench::Random& random, const std::vector<std::string>& vocabulary) {
  std::string line;
  const size_t words = random.Between(5, 40);
  for (size_t i = 0; i < words; ++i) line += vocabulary[random.Below(kVocabulary)] + ' ';
  return line;
}

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> words;
  size_t start = 0;
  for (size_t end = line.find(' '); end != std::string::npos; end = line.find(' ', start)) {
    words.push_back(line.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

uint64_t Process(const std::vector<std::string>& lines) {
  std::unordered_map<std::string, std::vector<uint32_t>> index;
  for (uint32_t i = 0; i < lines.size(); ++i) {
    for (const std::string& word : Split(lines[i])) index[word].push_back(i);
  }
  std::vector<std::pair<std::string, size_t>> counts;
  for (const auto& [word, where] : index) counts.emplace_back(word + "!", where.size());
  std::sort(counts.begin(), counts.end());
  uint64_t sum = 0;
  for (const auto& [word, count] : counts) sum = sum * 31 + word.size() * count;
  return sum;
}

}  // namespace

int main() {
  bench::Random random(9);
  const std::vector<std::string> vocabulary = MakeVocabulary(random);
  uint64_t sum = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> lines;
    for (size_t i = 0; i < kLines; ++i) lines.push_back(MakeLine(random, vocabulary));
    sum = sum * 7 + Process(lines);
  }
  printf("strings %016llx\n", static_cast<unsigned long long>(sum));
}
