// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Symbolic algebra: expressions are trees of small shared objects, nearly all of which live for
// microseconds. Builds a random expression, differentiates it several times, simplifies after each
// step, and evaluates the result modulo a prime. One thread. Prints the sum of the values.

#include <cstdint>
#include <cstdio>
#include <utility>

#include "bench/random.h"

namespace {

constexpr uint64_t kPrime = 2147483647;
constexpr int kExpressions = 8000;
constexpr int kDerivatives = 3;
constexpr int kDepth = 6;

enum class Kind { kNumber, kVariable, kSum, kProduct };

// A shared pointer to an immutable expression, with its count in the object.
class Expression {
 public:
  static Expression Number(uint64_t value) { return New(Kind::kNumber, value % kPrime); }
  static Expression Variable() { return New(Kind::kVariable, 0); }
  static Expression Sum(Expression left, Expression right) {
    if (left.IsNumber(0)) return right;
    if (right.IsNumber(0)) return left;
    return NewPair(Kind::kSum, std::move(left), std::move(right));
  }
  static Expression Product(Expression left, Expression right) {
    if (left.IsNumber(0) || right.IsNumber(0)) return Number(0);
    if (left.IsNumber(1)) return right;
    if (right.IsNumber(1)) return left;
    return NewPair(Kind::kProduct, std::move(left), std::move(right));
  }

  Expression() = default;
  Expression(const Expression& other);
  Expression(Expression&& other) noexcept : term_(std::exchange(other.term_, nullptr)) {}
  Expression& operator=(Expression other) {
    std::swap(term_, other.term_);
    return *this;
  }
  ~Expression();

  Kind kind() const;
  uint64_t value() const;
  const Expression& left() const;
  const Expression& right() const;
  bool IsNumber(uint64_t value) const;

 private:
  struct Term;
  static Expression New(Kind kind, uint64_t value);
  static Expression NewPair(Kind kind, Expression left, Expression right);

  Term* term_ = nullptr;
};

struct Expression::Term {
  Kind kind;
  uint32_t references;
  uint64_t value;
  Expression left;
  Expression right;
};

Expression::Expression(const Expression& other) : term_(other.term_) {
  if (term_ != nullptr) ++term_->references;
}
Expression::~Expression() {
  if (term_ != nullptr && --term_->references == 0) delete term_;
}
Kind Expression::kind() const { return term_->kind; }
uint64_t Expression::value() const { return term_->value; }
const Expression& Expression::left() const { return term_->left; }
const Expression& Expression::right() const { return term_->right; }
bool Expression::IsNumber(uint64_t value) const {
  return term_->kind == Kind::kNumber && term_->value == value;
}

Expression Expression::New(Kind kind, uint64_t value) {
  Expression result;
  result.term_ = new Term{kind, 1, value, Expression(), Expression()};
  return result;
}

Expression Expression::NewPair(Kind kind, Expression left, Expression right) {
  Expression result;
  result.term_ = new Term{kind, 1, 0, std::move(left), std::move(right)};
  return result;
}

Expression RandomExpression(bench::Random& random, int depth) {
  if (depth == 0) {
    return random.Below(3) == 0 ? Expression::Number(random.Between(1, 9)) : Expression::Variable();
  }
  Expression left = RandomExpression(random, depth - 1);
  Expression right = RandomExpression(random, depth - 1);
  return random.Below(2) == 0 ? Expression::Sum(std::move(left), std::move(right))
                              : Expression::Product(std::move(left), std::move(right));
}

Expression Derivative(const Expression& of) {
  switch (of.kind()) {
    case Kind::kNumber:
      return Expression::Number(0);
    case Kind::kVariable:
      return Expression::Number(1);
    case Kind::kSum:
      return Expression::Sum(Derivative(of.left()), Derivative(of.right()));
    case Kind::kProduct:
      return Expression::Sum(Expression::Product(Derivative(of.left()), of.right()),
                             Expression::Product(of.left(), Derivative(of.right())));
  }
  __builtin_unreachable();
}

// Folds constants and moves numbers to the left, building every term anew on the way up.
Expression Simplify(const Expression& of) {
  if (of.kind() == Kind::kNumber || of.kind() == Kind::kVariable) return of;
  Expression left = Simplify(of.left());
  Expression right = Simplify(of.right());
  const bool is_sum = of.kind() == Kind::kSum;
  if (left.kind() == Kind::kNumber && right.kind() == Kind::kNumber) {
    return Expression::Number(is_sum ? left.value() + right.value() : left.value() * right.value());
  }
  if (right.kind() == Kind::kNumber) std::swap(left, right);
  return is_sum ? Expression::Sum(std::move(left), std::move(right))
                : Expression::Product(std::move(left), std::move(right));
}

uint64_t Evaluate(const Expression& of, uint64_t at) {
  switch (of.kind()) {
    case Kind::kNumber:
      return of.value();
    case Kind::kVariable:
      return at;
    case Kind::kSum:
      return (Evaluate(of.left(), at) + Evaluate(of.right(), at)) % kPrime;
    case Kind::kProduct:
      return Evaluate(of.left(), at) * Evaluate(of.right(), at) % kPrime;
  }
  __builtin_unreachable();
}

}  // namespace

int main() {
  bench::Random random(1);
  uint64_t sum = 0;
  for (int i = 0; i < kExpressions; ++i) {
    Expression expression = RandomExpression(random, kDepth);
    for (int order = 0; order < kDerivatives; ++order) {
      expression = Simplify(Derivative(expression));
      sum = (sum + Evaluate(expression, 12345 + i)) % kPrime;
    }
  }
  printf("symbolic %llu\n", static_cast<unsigned long long>(sum));
}
