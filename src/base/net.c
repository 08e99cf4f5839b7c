/* Addresses and networks. */
#include "base/net.h"

#include <arpa/inet.h>
#include <string.h>

enum { BITS = 128, BITS_BEFORE_V4 = 96, CLIENT_BYTES_V6 = 8 };

static const unsigned char v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool
net_parse_address(struct str text, struct net *out)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
		text = (struct str){text.ptr + 1, text.len - 2};
	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	*out = (struct net){.bits = BITS};
	if (memchr(text.ptr, ':', text.len) != NULL && inet_pton(AF_INET6, copy, out->bytes) == 1)
		return true;
	memcpy(out->bytes, v4_prefix, sizeof(v4_prefix));
	return inet_pton(AF_INET, copy, out->bytes + sizeof(v4_prefix)) == 1;
}

static bool
bit(const struct net *n, int i)
{
	return (n->bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

static bool
is_v4(const struct net *n)
{
	return memcmp(n->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool
net_parse(struct str text, struct net *out)
{
	struct str address;
	uint64_t bits;
	bool writes_v4;

	(void)str_split(&text, '/', &address);
	if (!net_parse_address(address, out))
		return false;
	if (text.ptr == NULL)
		return true;
	writes_v4 = memchr(address.ptr, ':', address.len) == NULL;
	if (!str_to_u64(text, &bits) || bits > (writes_v4 ? BITS - BITS_BEFORE_V4 : BITS))
		return false;
	out->bits = (int)bits + (writes_v4 ? BITS_BEFORE_V4 : 0);
	for (int i = out->bits; i < BITS; i++)
		if (bit(out, i))
			return false;
	return true;
}

bool
net_has(const struct net *n, const struct net *address)
{
	int whole = n->bits / 8;

	if (memcmp(n->bytes, address->bytes, (size_t)whole) != 0)
		return false;
	for (int i = whole * 8; i < n->bits; i++)
		if (bit(n, i) != bit(address, i))
			return false;
	return true;
}

bool
net_is_loopback(const struct net *address)
{
	static const unsigned char v6_loopback[16] = {[15] = 1};

	if (is_v4(address))
		return address->bytes[sizeof(v4_prefix)] == 127;
	return memcmp(address->bytes, v6_loopback, sizeof(v6_loopback)) == 0;
}

/* inet_ntop goes by way of printf, and this is done twice a request. */
static void
add_v4(const unsigned char *bytes, struct buf *out)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			buf_addc(out, '.');
		buf_add_int(out, bytes[i]);
	}
}

void
net_add(const struct net *address, struct buf *out)
{
	if (is_v4(address)) {
		add_v4(address->bytes + sizeof(v4_prefix), out);
	} else {
		char text[INET6_ADDRSTRLEN];

		buf_adds(out, inet_ntop(AF_INET6, address->bytes, text, sizeof(text)));
	}
}

void
net_add_client(const struct net *address, struct buf *out)
{
	struct net client = *address;

	if (!is_v4(address))
		memset(client.bytes + CLIENT_BYTES_V6, 0, sizeof(client.bytes) - CLIENT_BYTES_V6);
	net_add(&client, out);
}
