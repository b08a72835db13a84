// SPDX-License-Identifier: Apache-2.0
import type { ImageTool } from "./image-tool.ts";
import { formatBannerLines } from "./help-script.ts";
import { quoteShellWord } from "./shell-text.ts";

const HOOK = "[ ! -r /etc/toolbox/bashrc ] || . /etc/toolbox/bashrc";

/** The base's `/etc/bash.bashrc` with one line more, which reads `/etc/toolbox/bashrc`. Idempotent. */
export function mergeBashrc(base: string | undefined): string {
  if (base === undefined || base === "") return `${HOOK}\n`;
  if (base.split("\n").includes(HOOK)) return base;
  return `${base.endsWith("\n") ? base : `${base}\n`}${HOOK}\n`;
}

/**
 * The text of `/etc/toolbox/bashrc`: for interactive shells only, the banner (once, on a terminal) and loading of
 * completions at the first tab where the bash-completion package is not there to do it.
 */
export function formatToolboxBashrc(image: string, tools: readonly ImageTool[]): string {
  const lines = formatBannerLines(image, tools).map(quoteShellWord);
  return `# Read by interactive shells; made when this image was built.
case $- in *i*) ;; *) return 0 ;; esac
if [ -t 1 ] && [ "\${SHLVL:-1}" -le 1 ]; then
  if [ -z "\${NO_COLOR-}" ] && [ "\${TERM-}" != dumb ]; then
    printf '\\033[1m%s\\033[0m\\n' ${lines.slice(0, 1).join(" ")}
  else
    printf '%s\\n' ${lines.slice(0, 1).join(" ")}
  fi
  printf '%s\\n' ${lines.slice(1).join(" ")}
fi
${COMPLETION_LOADER}`;
}

/**
 * Loads `/usr/share/bash-completion/completions/COMMAND` at the first tab. With neither colon nor equals sign among
 * the word breaks, the words of a completion need not be put together again, which is all that scripts made by
 * cobra ask of the bash-completion package.
 */
const COMPLETION_LOADER = `if [ -n "\${BASH_VERSION-}" ] && [ -z "\${BASH_COMPLETION_VERSINFO-}" ] && ! shopt -oq posix; then
  if [ -r /usr/share/bash-completion/bash_completion ]; then
    . /usr/share/bash-completion/bash_completion
  else
    COMP_WORDBREAKS=\${COMP_WORDBREAKS//[:=]/}
    _get_comp_words_by_ref() {
      while [[ \${1-} == -* ]]; do
        if [[ $1 == -n ]]; then shift; fi
        shift
      done
      cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
      words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD
    }
    __ltrim_colon_completions() { :; }
    _toolbox_complete() {
      local script=/usr/share/bash-completion/completions/\${1##*/}
      if [[ -n \${1##*/} && -r $script ]]; then . "$script" && return 124; fi
      return 1
    }
    complete -D -F _toolbox_complete -o bashdefault -o default
  fi
fi
`;

/**
 * The completion script of one command: it asks the tool for its own completion at the first tab. Its bytes are
 * known without running the tool, so they are the same whatever host builds the image.
 */
export function formatCompletionStub(command: readonly string[]): string {
  return `# Asks the tool for its own completion at the first tab.
eval "$(${command.map(quoteShellWord).join(" ")} 2>/dev/null)"
`;
}

/** The command that a completion script is for. Absent when the tool has none that bash could look up. */
export function completedCommand({ bashCompletion }: ImageTool): string | undefined {
  const command = bashCompletion?.[0];
  return command !== undefined && /^[\w][\w.+-]*$/.test(command) ? command : undefined;
}
