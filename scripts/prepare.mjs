/**
 * Installs what `npm start` and `npm test` need, so that these two commands are all that a newcomer has to type.
 * Runs on Node 20 with built-ins alone: it comes before anything is installed.
 *
 *   node scripts/prepare.mjs          packages of the lock file, when it changed
 *   node scripts/prepare.mjs --test   and Debian's packages that the tests use
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Debian's packages, each with a file that shows that it is there. */
const testPackages = [
  ['mosquitto', '/usr/sbin/mosquitto'],
  ['chromium', '/usr/bin/chromium'],
  ['gcc', '/usr/bin/gcc'],
  ['libc6-dev', '/usr/include/stdio.h'],
  ['libmodbus-dev', '/usr/include/modbus/modbus.h'],
  ['faketime', '/usr/bin/faketime'],
  ['iproute2', '/usr/sbin/ip'],
  ['nftables', '/usr/sbin/nft'],
  ['e2fsprogs', '/usr/sbin/mkfs.ext4'],
  ['python3-aiosmtpd', '/usr/lib/python3/dist-packages/aiosmtpd/__init__.py'],
  ['dbus-daemon', '/usr/bin/dbus-daemon'],
  ['systemd', '/usr/bin/busctl'],
  ['systemd-timesyncd', '/lib/systemd/systemd-timesyncd'],
  ['util-linux', '/usr/bin/setpriv'],
  ['mount', '/usr/sbin/losetup'],
  ['qemu-user-static', '/usr/bin/qemu-aarch64-static'],
  ['binutils', '/usr/bin/strip'],
  ['binutils-aarch64-linux-gnu', '/usr/bin/aarch64-linux-gnu-strip'],
  ['libc6-arm64-cross', '/usr/aarch64-linux-gnu/lib/libc.so.6'],
  ['libstdc++6-arm64-cross', '/usr/aarch64-linux-gnu/lib/libstdc++.so.6'],
  ['libgcc-s1-arm64-cross', '/usr/aarch64-linux-gnu/lib/libgcc_s.so.1'],
];

function run(command, args, options = {}) {
  // Standard output is the caller's: `npm start` prints one line there that scripts read.
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error !== undefined) throw result.error;
  return result.status ?? 1;
}

function installNodePackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.picket-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stderr.write('installing packages (npm ci) …\n');
  const status = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (status !== 0) {
    process.stderr.write('npm ci failed: see the lines above; the registry must be reachable once.\n');
    process.exit(status);
  }
  writeFileSync(stamp, lock);
}

function installDebianPackages() {
  const missing = testPackages.filter(([, file]) => !existsSync(file)).map(([name]) => name);
  if (missing.length === 0) return;
  // Nothing of the machine's own goes for the tests, as another time service would for systemd-timesyncd.
  const command = `apt-get install -y --no-remove --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !canRun('/usr/bin/apt-get')) {
    process.stderr.write(`The tests need ${missing.join(', ')}. Install them with: sudo ${command}\n`);
    process.exit(1);
  }
  process.stderr.write(`installing ${missing.join(', ')} …\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], { env });
  const [tool, ...args] = command.split(' ');
  const status = run(tool, ['-qq', ...args], { env });
  if (status !== 0) {
    process.stderr.write(`apt-get failed: see the lines above. Install by hand: ${command}\n`);
    process.exit(status);
  }
  // The tests start brokers of their own; Debian's service would hold port 1883, which `npm start` uses.
  if (missing.includes('mosquitto') && existsSync('/run/systemd/system')) {
    run('systemctl', ['disable', '--now', 'mosquitto.service']);
  }
}

function canRun(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

installNodePackages();
if (process.argv.includes('--test')) installDebianPackages();
