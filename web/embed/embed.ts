/** The page for an iframe: `embed.html?coordinator=https://…&pool=1[&origin-key=0x…][&autoplay][&muted]`. */
import '../src/index';

const ATTRIBUTES = ['coordinator', 'pool', 'origin-key', 'autoplay', 'muted'];

const given = new URLSearchParams(location.search);
const player = document.createElement('streamrp2p-player');
for (const name of ATTRIBUTES) {
  const value = given.get(name);
  if (value !== null) player.setAttribute(name, value);
}
// The frame's size is the page's choice, not the picture's.
player.toggleAttribute('fill', true);
document.body.append(player);
