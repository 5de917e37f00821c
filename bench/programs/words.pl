# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# A benchmark program: an index of a text (hash of arrays), substitutions, sorting and joining.
# Argument: the text.

use strict;
use warnings;

my (%lines_of, %pairs);
open(my $text, '<', $ARGV[0]) or die "cannot open $ARGV[0]: $!";
while (my $line = <$text>) {
    last if $. > 65000;
    $line =~ s/(\w+)ing\b/$1ed/g;
    my @words = split ' ', lc $line;
    push @{ $lines_of{$_} }, $. for @words;
    $pairs{"$words[$_] $words[$_ + 1]"}++ for 0 .. $#words - 1;
}
my $longest = join ',', (sort { @{ $lines_of{$b} } <=> @{ $lines_of{$a} } || $a cmp $b }
    keys %lines_of)[0 .. 4];
my $total = 0;
$total += length(join '-', sort { $a <=> $b } @$_) for values %lines_of;
printf "%d %d %s %d\n", scalar(keys %lines_of), scalar(keys %pairs), $longest, $total;
