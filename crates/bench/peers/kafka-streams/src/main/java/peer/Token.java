package peer;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/** Ids and values are 16 bytes. */
final class Token {
    static final int LENGTH = 16;

    private Token() {}

    /** Polku's rule: the first eight bytes of the key, modulo the number of partitions. */
    static int partition(byte[] key, int partitions) {
        return (int) Long.remainderUnsigned(ByteBuffer.wrap(key).getLong(), partitions);
    }

    static byte[] at(byte[] bytes, int start) {
        return Arrays.copyOfRange(bytes, start, start + LENGTH);
    }

    static byte[] key(byte[]... tokens) {
        byte[] key = new byte[tokens.length * LENGTH];
        for (int number = 0; number < tokens.length; number++) {
            System.arraycopy(tokens[number], 0, key, number * LENGTH, LENGTH);
        }
        return key;
    }

    /** The last key that begins so, in a range over keys of one token more. */
    static byte[] last(byte[] prefix) {
        byte[] key = Arrays.copyOf(prefix, prefix.length + LENGTH);
        Arrays.fill(key, prefix.length, key.length, (byte) 0xff);
        return key;
    }

    static byte[] hash(byte[] bytes) {
        try {
            return Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(bytes), LENGTH);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
