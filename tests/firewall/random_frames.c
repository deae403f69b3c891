// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "random_rules.h"

#include "packets/frames.h"

static void add_fragment(struct random *random, unsigned int family, struct layer *layers,
			 size_t *count)
{
	unsigned int offset = random_chance(random, 50) ? 0 : 1 + random_below(random, 3);

	if (family == 4)
		layers[*count - 1].fragment = offset | (random_chance(random, 60) ? 0x2000 : 0);
	else
		layers[(*count)++] = (struct layer)FRAGMENT(offset << 3 | random_below(random, 2));
}

static void add_transport(struct random *random, unsigned int family, struct layer *layers,
			  size_t *count)
{
	switch (random_below(random, 6)) {
	case 0:
	case 1:
	case 2:
		layers[(*count)++] = (struct layer)TCP(.sport = random_port(random),
						       .dport = random_port(random),
						       .window = random_port(random),
						       .tcp_flags = 1U << random_below(random, 8) |
								    1U << random_below(random, 8));
		break;
	case 3:
		layers[(*count)++] = (struct layer)UDP(.sport = random_port(random),
						       .dport = random_port(random));
		break;
	default:
		if (family == 4)
			layers[(*count)++] = (struct layer)ICMP(random_below(random, 16));
		else
			layers[(*count)++] = (struct layer)ICMP6(random_below(random, 16));
		layers[*count - 1].code = random_below(random, 10);
	}
}

size_t random_frame(struct random *random, uint8_t *frame)
{
	unsigned int family = random_chance(random, 50) ? 4 : 6;
	struct layer layers[LAYERS_MAX] = { ETHER() };
	char from[64], to[64];
	size_t count = 1, length;

	random_address(random, family, from);
	random_address(random, family, to);
	while (count < 3 && random_chance(random, 20))
		layers[count++] = (struct layer)VLAN(random_below(random, 8));
	if (family == 4)
		layers[count++] = (struct layer)IPV4(.from = from, .to = to,
						     .ttl = 1 + random_below(random, 80));
	else
		layers[count++] = (struct layer)IPV6(.from = from, .to = to,
						     .ttl = 1 + random_below(random, 80));
	if (family == 4 && random_chance(random, 5))
		layers[count - 1].options = 4;
	if (random_chance(random, 15))
		add_fragment(random, family, layers, &count);
	if (family == 6 && random_chance(random, 10))
		layers[count++] = (struct layer)EXTENSION(60, 8);
	if (random_chance(random, 5))
		layers[count - 1].next = EXACTLY(random_below(random, 256));
	add_transport(random, family, layers, &count);
	layers[count++] = (struct layer)OCTETS(random_below(random, 80));
	length = frame_build(layers, frame);
	if (random_chance(random, 5))
		length = 14 + random_below(random, length - 13);
	return length;
}
