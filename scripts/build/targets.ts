/** What executables are built for. */

export interface Target {
  readonly name: string;
  readonly arch: 'x64' | 'arm64';
  /** GNU strip that understands this architecture: Debian's names, the host's own last. */
  readonly strips: readonly string[];
  /** File below classic-level's prebuilds/. */
  readonly addon: string;
}

export const targets: readonly Target[] = [
  {
    name: 'linux-x64',
    arch: 'x64',
    strips: ['x86_64-linux-gnu-strip'],
    addon: 'linux-x64/classic-level.node',
  },
  {
    name: 'linux-arm64',
    arch: 'arm64',
    strips: ['aarch64-linux-gnu-strip'],
    addon: 'linux-arm64/classic-level.armv8.node',
  },
];

export const hostTarget = `${process.platform}-${process.arch}`;
