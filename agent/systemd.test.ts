import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemdUnit, unitName } from './systemd.ts';

const analyzer = 'systemd-analyze';

function settings(unit: string): Map<string, string> {
  return new Map(
    unit
      .split('\n')
      .flatMap((line) =>
        /^[A-Z]\w*=/.test(line) ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]] : [],
      ),
  );
}

test('it has a user of its own, bounds, a watchdog, and may change nothing', () => {
  const unit = settings(systemdUnit({ command: ['/usr/local/bin/picket-agent', 'run'] }));
  expect(unit.get('ExecStart')).toBe('/usr/local/bin/picket-agent run');
  for (const [key, value] of [
    ['DynamicUser', 'yes'],
    ['StateDirectory', 'picket-agent'],
    ['MemoryMax', '80M'],
    ['Restart', 'always'],
    ['ProtectSystem', 'strict'],
    ['NoNewPrivileges', 'yes'],
    ['PrivateTmp', 'yes'],
    ['CapabilityBoundingSet', ''],
    ['WantedBy', 'multi-user.target'],
  ] as const) {
    expect(unit.get(key), key).toBe(value);
  }
  expect(Number(unit.get('WatchdogSec'))).toBeGreaterThan(0);
  // Node compiles while it runs, and other processes are to be seen.
  for (const key of ['MemoryDenyWriteExecute', 'ProtectProc', 'ProcSubset', 'PrivateDevices'])
    expect(unit.has(key), key).toBe(false);
});

test('words that systemd would take apart are quoted', () => {
  const unit = settings(systemdUnit({ command: ['/opt/a b/agent', 'run', '--config', '/etc/100%/$x "y"\\z'] }));
  expect(unit.get('ExecStart')).toBe('"/opt/a b/agent" run --config "/etc/100%%/$$x \\"y\\"\\\\z"');
});

test.runIf(spawnSync(analyzer, ['--version']).status === 0)('systemd finds nothing wrong with it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'picket-unit-'));
  try {
    const path = join(folder, unitName);
    writeFileSync(path, systemdUnit({ command: ['/bin/true', 'run'] }));
    const { status, stderr } = spawnSync(analyzer, ['verify', path], { encoding: 'utf8' });
    // It also tells of other units of the machine, which are none of ours.
    expect(stderr.split('\n').filter((line) => line.includes(unitName))).toEqual([]);
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
