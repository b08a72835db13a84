// SPDX-License-Identifier: Apache-2.0
import { encodedOf, parseReference } from "../oci/index.ts";
import type { SessionFile, SessionImage } from "./session.ts";

/** Where the start file of an interactive shell stands inside. */
const TARGET = "/etc/toolbox/shell.bashrc";

/** An interactive shell: its command, and the file that it reads first. */
export interface ShellPlan {
  readonly argv: readonly string[];
  readonly files: readonly SessionFile[];
}

/**
 * An interactive bash whose prompt says where one is: the image with its version, and the context of kubeconfig, read
 * anew each time. Every line is added to the history at once, so that shells side by side lose nothing of each other's.
 *
 * @param name What the workspace calls an image that it builds. Absent: the image's reference says it.
 */
export function planShell(image: SessionImage, name?: string): ShellPlan {
  const label = labelOf(image, name);
  return {
    argv: ["bash", "--rcfile", TARGET, "-i"],
    files: [{ target: TARGET, content: formatStartFile(label) }],
  };
}

/** `tooling-k8s 1.4`; where no tag tells the version, the beginning of the digest does. */
function labelOf({ reference, digest }: SessionImage, name: string | undefined): string {
  const version = encodedOf(digest).slice(0, 12);
  if (reference === undefined) return name === undefined ? version : `${name} ${version}`;
  const { repository, tag } = parseReference(reference);
  return `${repository.slice(repository.lastIndexOf("/") + 1)} ${tag ?? version}`;
}

/** bash reads the system's own bash.bashrc before this file; in our images that shows the banner and loads completions. */
function formatStartFile(label: string): string {
  return `# Read by interactive shells that toolbox opens.
[ ! -r ~/.bashrc ] || . ~/.bashrc
if [ ! -r /etc/toolbox/bashrc ]; then
  if [ -t 1 ] && [ "\${SHLVL:-1}" -le 1 ]; then printf '%s\\n' '${label}: an image without a list of its tools.'; fi
  if [ -z "\${BASH_COMPLETION_VERSINFO-}" ] && [ -r /usr/share/bash-completion/bash_completion ]; then
    . /usr/share/bash-completion/bash_completion
  fi
fi
HISTFILE=\${HISTFILE:-$HOME/.bash_history} HISTSIZE=10000 HISTFILESIZE=20000
shopt -s histappend checkwinsize
_toolbox_context=
_toolbox_prompt() {
  local file=\${KUBECONFIG-} line name=
  history -a
  file=\${file%%:*}
  while IFS= read -r line; do
    case $line in
      current-context:*) name=\${line#current-context:}; name=\${name# }; break ;;
    esac
  done 2>/dev/null <"\${file:-$HOME/.kube/config}"
  name=\${name#[\\"\\']} name=\${name%[\\"\\']}
  _toolbox_context=\${name:+ | \${name//[^[:print:]]/}}
} 2>/dev/null
PROMPT_COMMAND="_toolbox_prompt\${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
if [ -z "\${NO_COLOR-}" ] && [ "\${TERM-}" != dumb ]; then
  PS1='\\[\\e[1m\\][${label}$_toolbox_context]\\[\\e[0m\\] \\w \\$ '
else
  PS1='[${label}$_toolbox_context] \\w \\$ '
fi
`;
}
