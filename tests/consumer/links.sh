#!/bin/sh
# links.sh PREFIX: what installed documents and headers point at is installed too.
set -eu
docs=$(dirname "$(find "$1" -name README.md -path '*doc*' ! -path '*examples*' -print -quit)")
headers=$(find "$1" -name blpo.h -print -quit)
bad=0
links=$(mktemp)
trap 'rm -f "$links"' EXIT

# need FILE IN: FILE, which IN names, is there
need()
{
    [ -e "$1" ] || { echo "FAIL: $2 points at $1, which is not installed"; bad=1; }
}

# Links of Markdown, but for those to the world and inside a page.
find "$docs" -name '*.md' -print | while read -r page; do
    grep -o '](\([^)]*\))' "$page" | sed -e 's/^](//' -e 's/)$//' -e 's/#.*//' | grep -v '^$' | grep -v '://' |
        sed "s|^|$page |"
done > "$links" || true
[ -s "$links" ] || { echo "FAIL: no link found in $docs"; exit 1; }
while read -r page link; do
    need "$(dirname "$page")/$link" "$page"
done < "$links"

# shellcheck disable=SC2013 # names without blanks
for page in $(grep -oh 'docs/[a-z_-]*\.md' "${headers%/*}"/*.h | sort -u); do
    need "$docs/$page" "a header"
done
exit "$bad"
