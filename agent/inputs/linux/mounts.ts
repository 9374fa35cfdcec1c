/** /proc/self/mounts (fstab(5)): which mounts have space that can run out. */

export interface Mount {
  readonly device: string;
  readonly point: string;
  readonly type: string;
}

/** Filesystems on a disk or flash of this machine that can be written. Read-only images are always full. */
const localTypes = new Set([
  'bcachefs',
  'btrfs',
  'exfat',
  'ext2',
  'ext3',
  'ext4',
  'f2fs',
  'hfsplus',
  'jffs2',
  'jfs',
  'msdos',
  'nilfs2',
  'ntfs',
  'ntfs3',
  'overlay',
  'reiserfs',
  'ubifs',
  'udf',
  'vfat',
  'xfs',
  'yaffs2',
  'zfs',
]);
const remoteTypes = /^(?:9p|afs|ceph|cifs|fuse(?:blk|\..*)?|glusterfs|gpfs|lustre|nfs4?|ocfs2|smb3|smbfs|virtiofs)$/;

/** Whether a filesystem of this type is on a disk or flash of this machine. */
export function isLocalType(type: string): boolean {
  return localTypes.has(type);
}

/** The mounts to ask; of several of one device the one with the shortest path (the others are bind mounts). */
export function parseMounts(text: string, network: boolean): readonly Mount[] {
  const byDevice = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [rawDevice, rawPoint, type] = line.split(' ');
    if (rawDevice === undefined || rawPoint === undefined || type === undefined) continue;
    if (!localTypes.has(type) && !(network && remoteTypes.test(type))) continue;
    const device = unescapeOctal(rawDevice);
    const point = unescapeOctal(rawPoint);
    // Layers of containers all have the device "overlay"; only the machine's own root is of interest.
    if (type === 'overlay' && point !== '/') continue;
    const known = byDevice.get(device);
    // zfs has a device for each dataset, btrfs one for all subvolumes, which share their space.
    if (known === undefined || point.length < known.point.length) byDevice.set(device, { device, point, type });
  }
  return [...byDevice.values()];
}

/** Blanks, tabs, line ends and backslashes are written as octal numbers (fstab(5)). */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
