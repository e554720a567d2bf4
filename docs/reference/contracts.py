# SPDX-License-Identifier: MIT
"""The contract comments of a header as documentation comments, line for line.

The headers have plain comments. A block right above a declaration documents it, and those that follow without an empty line and without
a comment of their own; a comment at the end of a line documents that line. A block with an empty line below it belongs to nothing, and
stays as it is. The block under the licence line is the file's. From "Library-internal" to the next access specifier, or to the end of
the class or namespace, nothing is documented. "Errors:", "Lifetime:" and the like at the beginning of a sentence become paragraphs.
"""
import re

LABELS = "Units|Errors|Suspends|Cancellation|Lifetime|Threads|Fairness|Source|Life|Signals"
COMMENT = re.compile(r"^(\s*)// ?(.*)$")
TRAILING = re.compile(r"^(.*[;,{})\w])(\s+)// (.*)$")
LABEL = re.compile(rf"(?:^|(?<=[.;] ))({LABELS})( of [a-z_]+\(\))?: ")
SHOWN = re.compile(r"class BasicQueue ")  # of namespace detail: what public classes are made of
DETAIL = re.compile(r"namespace ([a-z:]+::)?detail \{$")
ACCESS = re.compile(r"\s*(public|protected|private):")


def escape(text):
    """Words, and not commands or tags; the text between backticks is code already."""
    parts = text.split("`")
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"([\\@#%<>&$])", r"\\\1", parts[i])
    return "`".join(parts)


def documentation(text):
    """A line of a comment; a label in it begins a paragraph, without a line of its own (the aliases are the Doxyfile's)."""
    out, at = "", 0
    for label in LABEL.finditer(text):
        out += escape(text[at:label.start()]) + f"@labelled{{{label[1]}{escape(label[2] or '')}}} "
        at = label.end()
    return out + escape(text[at:])


def code(line):
    """Doxygen does not know every place of an attribute, and documents who is a friend."""
    if re.match(r"\s*friend [^{]*;$", line):
        return ""
    return re.sub(r"\[\[nodiscard(\(\"[^\"]*\"\))?\]\] ?", "", line)


def depths(lines):
    """How many braces are open before each line."""
    depth, out = 0, []
    for line in lines:
        out.append(depth)
        plain = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])\'|//.*', "", line)
        depth += plain.count("{") - plain.count("}")
    return out + [depth]


def end_of_group(lines, depth, begin):
    """The line after the last of the declarations that stand together from `begin` on, where they are two or more; else nothing."""
    declarations, at = 0, begin
    while at < len(lines) and depth[at] >= depth[begin]:
        if depth[at] == depth[begin]:
            if not lines[at].strip() or COMMENT.match(lines[at]) or ACCESS.match(lines[at]) or lines[at].lstrip().startswith("}"):
                break
        at += 1
        if depth[at] == depth[begin] and re.search(r"[;}](\s*//.*)?$", lines[at - 1]):
            declarations += 1
    return at if declarations > 1 else None


def documented(text):
    lines = text.split("\n")
    depth = depths(lines)
    out = []
    hidden = None     # the indentation of what is not documented
    trailing = None   # the column of the comment at the end of the last line
    group_end = None  # the line before which a group of members is closed
    shown = None      # inside of a namespace detail: whether what stands there is documented nevertheless
    around = 0        # how many braces are open around that namespace
    i = 0
    while i < len(lines):
        line = lines[i]
        comment = COMMENT.match(line)
        if comment and trailing is not None and line.index("//") == trailing:
            out.append(f"{comment[1]}///< {documentation(comment[2])}")
            i += 1
            continue
        trailing = None
        if DETAIL.match(line):
            shown, around = False, depth[i]
            out.append(line + " /** @cond INTERNAL */")
            i += 1
            continue
        if shown and line == "};":
            shown = False
            out.append(line + " /** @cond INTERNAL */")
            i += 1
            continue
        if shown is False and depth[i + 1] == around:
            shown = None
            out.append("/** @endcond */ }")
            i += 1
            continue
        if shown is False and not (comment and any(map(SHOWN.match, lines[i:i + 4]))):
            out.append(code(line))
            i += 1
            continue
        if shown is False:
            shown = True
            out[-1] += " /** @endcond */"
        if group_end == i:
            group_end = None
            if out and not re.search(r"//", out[-1]):
                out[-1] += " /** @} */"
            else:
                line = "/** @} */ " + line
                comment = None
        if comment:
            end = i
            while end < len(lines) and COMMENT.match(lines[end]):
                end += 1
            block = [COMMENT.match(each) for each in lines[i:end]]
            if line.startswith("// SPDX"):
                out += ["/// @file", *(f"/// {documentation(each[2])}" for each in block[1:])]
            elif block[-1][2].startswith("Library-internal"):
                out += lines[i:end - 1]
                hidden = hidden if hidden is not None else block[-1][1]
                out.append(f"{hidden}/// @cond INTERNAL")
            elif end < len(lines) and not lines[end].strip():
                out += lines[i:end]
            else:
                group_end = end_of_group(lines, depth, end) if group_end is None and hidden is None else group_end
                out += [f"{each[1]}/// {documentation(each[2])}".rstrip() for each in block]
                if group_end is not None and group_end > end and out[i - 1:i] and not re.search(r"//", out[i - 1]):
                    out[i - 1] += " /** @{ */"
                elif group_end is not None and group_end > end:
                    group_end = None
            i = end
            continue
        if hidden is not None and (ACCESS.match(line) or line.startswith("}  // namespace") or
                                   (line.strip().startswith("}") and len(line) - len(line.lstrip()) < len(hidden))):
            line = "/** @endcond */ " + line
            hidden = None
        line = code(line)
        at_end = None if line.lstrip().startswith(("#", "}  // namespace")) else TRAILING.match(line)
        if at_end:
            trailing = lines[i].index("// " + at_end[3])
            line = f"{at_end[1]}{at_end[2]}///< {documentation(at_end[3])}"
        out.append(line)
        i += 1
    return "\n".join(out)
