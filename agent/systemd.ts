/**
 * The systemd unit of the agent. It runs as a user of its own that exists while it runs (DynamicUser), sees the whole
 * machine and may change nothing but its state directory.
 */

export interface UnitOptions {
  /** The command line, ready to be quoted: program and arguments. */
  readonly command: readonly string[];
}

export const unitName = 'picket-agent.service';

/** What Node 24 wants under a memory cgroup (measured: 80 MB is enough, at 64 it thrashes). */
const memoryMax = '80M';
/** Much longer than any pause of a busy machine. */
const watchdogSeconds = 180;

export function systemdUnit({ command }: UnitOptions): string {
  return `# Made by \`picket-agent install\`; changes belong in a drop-in (\`systemctl edit picket-agent\`).
[Unit]
Description=Picket agent: watches this machine and reports to its central
After=network.target local-fs.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command.map(quoted).join(' ')}
Restart=always
RestartSec=5
WatchdogSec=${watchdogSeconds}
NotifyAccess=all
TimeoutStopSec=20

# A user of its own; what it keeps is below /var/lib/picket-agent and survives restarts and upgrades.
DynamicUser=yes
User=picket-agent
StateDirectory=picket-agent
StateDirectoryMode=0700
UMask=0077

# What it may take.
MemoryMax=${memoryMax}
# The child that takes the inventory is ended first; the agent goes on without it.
OOMPolicy=continue
TasksMax=64
Environment=UV_THREADPOOL_SIZE=2 MALLOC_ARENA_MAX=1

# What it may change: nothing. What it may see: the machine, hence ProtectProc and ProcSubset are left as they are,
# and homes are read-only instead of hidden, so that their filesystems are measured.
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# Not MemoryDenyWriteExecute: JavaScript is compiled while it runs.
# I/O of other users' processes needs one capability more; a drop-in that gives it:
#   [Service]
#   CapabilityBoundingSet=CAP_SYS_PTRACE
#   AmbientCapabilities=CAP_SYS_PTRACE
# A serial device needs its group: SupplementaryGroups=dialout

[Install]
WantedBy=multi-user.target
`;
}

/** systemd.service(5), "Command lines": quotes, and % and $ doubled, which it would replace. */
function quoted(word: string): string {
  const safe = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_./:=@%$+-]+$/.test(safe) ? safe : `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
