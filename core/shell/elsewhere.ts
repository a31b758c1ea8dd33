/** Commands of other systems that people type by habit, and what does the same here. Loaded when one is typed. */

const HINTS: readonly (readonly [names: string, hint: string])[] = [
  ["vi vim nvim nano pico emacs ed joe micro", "'edit FILE' is the editor"],
  ["info apropos whatis", "'help' lists the commands, 'man NAME' explains one"],
  ["sudo su doas", "nobody is root here, so run the command itself"],
  [
    "apt apt-get yum dnf apk brew pacman snap npm npx pip pip3 cargo gem",
    "nothing is installed here; a WASI program is a file that runs ('put FILE.wasm /tools/NAME; chmod +x /tools/NAME')",
  ],
  ["git svn hg", "files keep their earlier versions for a week: 'versions FILE', 'restore FILE'"],
  ["curl wget", "commands reach the swarm and not the web; 'put' brings files in from your machine"],
  ["ssh scp sftp rsync telnet ftp nc", "'send MEMBER FILE' moves files to a member, 'map' computes on all of them"],
  [
    "python python2 python3 node nodejs deno bun",
    "'map js' and 'map python' run functions on all members; an interpreter that is a WASI program runs as a file",
  ],
  ["perl ruby php lua java", "an interpreter that is a WASI program runs as a file of the tree"],
  ["gcc g++ cc clang make cmake go rustc tsc", "programs are compiled elsewhere, to WASI, and put here as files"],
  [
    "nohup screen tmux at batch crontab docker podman systemctl service",
    "'map … --detach' submits work that outlives this shell",
  ],
  ["who w users finger last", "'peers' lists the members"],
  [
    "ifconfig ip netstat ss arp route traceroute nslookup dig host",
    "'peers' and 'ls -l /net' show the network, 'ping MEMBER' times it",
  ],
  ["htop uptime free vmstat iostat lscpu nproc", "'peers' shows the nodes and their cores, 'top' the jobs, 'df' space"],
  ["mount umount lsblk fdisk mkfs fsck", "'ls /' shows the trees, 'df' the space"],
  ["killall pkill pgrep pidof", "'ps' lists what runs, 'kill ID' ends it"],
  ["nice renice ionice", "processes have no priorities here"],
  ["chown chgrp", "files have no owners: all members share them"],
  ["mkfifo mknod", "there are no named pipes; '|' and '<(COMMAND)' connect commands"],
  ["file", "'stat FILE' and 'xxd FILE | head' tell what a file is"],
  ["hexdump hd", "'xxd FILE' and 'od FILE' show bytes"],
  ["dd", "'head -c BYTES', 'tail -c +BYTE' and 'cat' copy parts of files"],
  ["bc dc", "'echo $((6*7))' calculates, and 'awk' with fractions"],
  ["dir ll la", "'ls -la' lists a directory"],
  ["md", "'mkdir' makes a directory"],
  ["rd", "'rmdir' removes a directory"],
  ["copy", "'cp' copies files"],
  ["move ren rename", "'mv' moves and renames files"],
  ["del erase", "'rm' removes files"],
  ["cls", "'clear' empties the screen"],
  ["quit bye", "'exit' ends the shell"],
  ["whereis locate", "'type NAME' finds a command, 'find' a file"],
  ["open xdg-open start", "'less FILE' shows a file, 'get FILE' copies it to your machine"],
  ["bzip2 bunzip2 xz unxz zstd 7z rar unrar", "'gzip', 'tar -z', 'zip' and 'unzip' are here"],
  ["write wall talk mesg", "'echo TEXT > /dev/MEMBER/notify' shows a text to the person at a member"],
  ["zsh fish ksh dash csh tcsh", "the language of this shell is that of bash"],
  ["!!", "the arrow up brings back the line before, Ctrl-R searches"],
  ["stty tput", "the terminal is set by the shell itself"],
];

export const BY_NAME: ReadonlyMap<string, string> = new Map(
  HINTS.flatMap(([names, hint]) => names.split(" ").map((name) => [name, hint] as const)),
);

export function hintFor(name: string): string | undefined {
  return BY_NAME.get(name);
}
