/** What somebody registers in order to reach what only we reach, and what its name resolves to, where it is one. */
export interface Target {
  url: string
  /** One list a question: a rebinding name server answers the next one otherwise. */
  resolves?: string[][]
}

const literal = (...urls: string[]): Target[] => urls.map((url) => ({ url }))
/** An ordinary public name that stands for this address. */
const named = (...addresses: string[]): Target[] =>
  addresses.map((address) => ({ url: 'https://hooks.example.com/x', resolves: [[address]] }))

export const ssrfTargets: readonly Target[] = [
  // Loopback, in every spelling that a URL parser takes for one.
  ...literal('https://127.0.0.1/', 'https://127.1/', 'https://127.255.255.254/', 'https://2130706433/'),
  ...literal('https://0x7f000001/', 'https://0x7f.0.0.1/', 'https://0177.0.0.1/', 'https://017700000001/'),
  ...literal('https://0/', 'https://0.0.0.0/', 'https://127.0.0.1./', 'https://127。0。0。1/', 'https://①②⑦.0.0.1/'),
  ...literal('https://%31%32%37.0.0.1/', 'https://[::1]/', 'https://[::]/', 'https://[0:0:0:0:0:0:0:1]/'),
  // Names of this machine and of networks inside.
  ...literal('https://localhost/', 'https://LOCALHOST./', 'https://x.localhost/', 'https://ｌｏｃａｌｈｏｓｔ/'),
  ...literal('https://postgres/', 'https://kubernetes.default.svc/', 'https://db.default.svc.cluster.local/'),
  ...literal('https://metadata.google.internal/', 'https://printer.local/', 'https://nas.home.arpa/'),
  // Private, shared, link-local, of clouds, reserved.
  ...literal('https://10.0.0.1/', 'https://172.16.0.1/', 'https://172.31.255.255/', 'https://192.168.1.1/'),
  ...literal('https://100.64.0.1/', 'https://169.254.169.254/latest/meta-data/', 'https://2852039166/'),
  ...literal('https://0xa9fea9fe/', 'https://168.63.129.16/', 'https://100.100.100.200/', 'https://192.0.0.192/'),
  ...literal('https://224.0.0.1/', 'https://255.255.255.255/', 'https://240.0.0.1/', 'https://198.18.0.1/'),
  ...literal('https://192.0.2.1/', 'https://198.51.100.1/', 'https://203.0.113.1/', 'https://192.88.99.1/'),
  // IPv4 inside IPv6: mapped, compatible, translated, 6to4, Teredo, ISATAP.
  ...literal('https://[::ffff:127.0.0.1]/', 'https://[::ffff:7f00:1]/', 'https://[::ffff:0:127.0.0.1]/'),
  ...literal('https://[::127.0.0.1]/', 'https://[64:ff9b::127.0.0.1]/', 'https://[64:ff9b:1::a00:1]/'),
  ...literal('https://[2002:7f00:1::]/', 'https://[2002:a9fe:a9fe::1]/', 'https://[2001:0:7f00:1::]/'),
  ...literal('https://[2606:4700::5efe:7f00:1]/', 'https://[2606:4700::200:5efe:a00:1]/'),
  ...literal('https://[fe80::1]/', 'https://[fc00::1]/', 'https://[fd00:ec2::254]/', 'https://[fec0::1]/'),
  ...literal('https://[ff02::1]/', 'https://[2001:db8::1]/', 'https://[3fff::1]/', 'https://[100::1]/'),
  ...literal('https://[5f00::1]/', 'https://[fe80::1%25eth0]/'),
  // Other schemes, other ports, other readings of one URL by two parsers.
  ...literal(
    'http://hooks.example.com/',
    'file:///etc/passwd',
    'gopher://hooks.example.com/',
    'ftp://hooks.example.com/',
  ),
  ...literal('https://hooks.example.com:22/', 'https://hooks.example.com:5432/', 'https://hooks.example.com:80/'),
  ...literal('https://user:secret@hooks.example.com/', 'https://hooks.example.com@127.0.0.1/', 'https://@127.0.0.1/'),
  ...literal('https://hooks.example.com\\@127.0.0.1/', 'https://127.0.0.1#@hooks.example.com/'),
  ...literal('https://hooks.example.com /', 'https://127.0.0.1\t.example.com/', 'https://hooks..example.com/'),
  ...literal('https:hooks.example.com', '//hooks.example.com/', 'hooks.example.com', '', 'javascript:alert(1)'),
  // Public names with an address inside.
  ...named('127.0.0.1', '10.1.2.3', '192.168.0.10', '169.254.169.254', '100.64.1.1', '0.0.0.0', '::1', '::'),
  ...named('::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::', 'fd00::1', 'fe80::1', 'fe80::1%eth0', '224.0.0.251'),
  { url: 'https://hooks.example.com./', resolves: [['10.0.0.1']] },
  { url: 'https://bücher.example/', resolves: [['127.0.0.1']] },
  // One foot inside: whichever is tried first.
  { url: 'https://hooks.example.com/', resolves: [['93.184.215.14', '127.0.0.1']] },
  { url: 'https://hooks.example.com/', resolves: [['fd00::1', '93.184.215.14']] },
]

/** What an honest receiver registers: refused, the guard would be of no use. */
export const publicTargets: readonly Target[] = [
  { url: 'https://hooks.example.com/x?y=1', resolves: [['93.184.215.14']] },
  { url: 'https://hooks.example.com./', resolves: [['2606:4700::6810:84e5', '93.184.215.14']] },
  { url: 'https://bücher.example/', resolves: [['8.8.8.8']] },
  { url: 'https://93.184.215.14/' },
  { url: 'https://[2606:4700::6810:84e5]:443/' },
]
