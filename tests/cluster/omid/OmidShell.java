// Omid's own package: its tests, too, replace the actions after a commit, and nobody else may.
package org.apache.omid.transaction;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.HexFormat;
import java.util.StringJoiner;

import org.apache.hadoop.hbase.client.Connection;
import org.apache.hadoop.hbase.client.ConnectionFactory;
import org.apache.hadoop.hbase.client.Delete;
import org.apache.hadoop.hbase.client.Get;
import org.apache.hadoop.hbase.client.Put;
import org.apache.hadoop.hbase.client.Result;
import org.apache.hadoop.hbase.client.ResultScanner;
import org.apache.hadoop.hbase.client.Scan;
import org.apache.omid.tso.client.CellId;
import org.apache.phoenix.thirdparty.com.google.common.util.concurrent.Futures;
import org.apache.phoenix.thirdparty.com.google.common.util.concurrent.ListenableFuture;

/**
 * Omid's client, driven by lines: a command and its arguments with spaces between them, bytes in hexadecimal, `-` for
 * none. Each line is answered by one. There is one transaction at a time.
 */
public final class OmidShell {

    private static final HexFormat HEX = HexFormat.of();

    private final HBaseTransactionManager complete;
    private final HBaseTransactionManager forgetful;
    private final Connection connection;
    private HBaseTransactionManager manager;
    private HBaseTransaction transaction;

    private OmidShell(String oracle, String commitTable) throws Exception {
        HBaseOmidClientConfiguration configuration = new HBaseOmidClientConfiguration();
        configuration.setConnectionString(oracle);
        configuration.setCommitTableName(commitTable);
        complete = HBaseTransactionManager.builder(configuration).build();
        forgetful = HBaseTransactionManager.builder(configuration).postCommitter(new NothingAfterCommit()).build();
        connection = ConnectionFactory.createConnection(configuration.getHBaseConfiguration());
    }

    /** Arguments: the oracle's HOST:PORT, the name of the commit table. HBase is where hbase-site.xml says. */
    public static void main(String[] arguments) throws Exception {
        OmidShell shell = new OmidShell(arguments[0], arguments[1]);
        System.out.println("ready");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(shell.answer(line.split(" ")));
        }
        System.exit(0);
    }

    private String answer(String[] words) {
        try {
            return switch (words[0]) {
                case "begin" -> begin(complete);
                // Its commits leave neither shadow cells nor a clean commit table, as if it had died then.
                case "begin-forgetful" -> begin(forgetful);
                case "checkpoint" -> checkpoint();
                case "commit" -> commit();
                case "rollback" -> rollback();
                case "get" -> get(words[1], bytes(words[2]), bytes(words[3]), bytes(words[4]));
                case "scan" -> scan(words[1], bytes(words[2]), bytes(words[3]));
                case "put" -> put(words[1], bytes(words[2]), bytes(words[3]), bytes(words[4]), bytes(words[5]));
                case "delete" -> delete(words[1], new Delete(bytes(words[2])).addColumns(bytes(words[3]), bytes(words[4])));
                case "delete-family" -> delete(words[1], new Delete(bytes(words[2])).addFamily(bytes(words[3])));
                case "delete-row" -> delete(words[1], new Delete(bytes(words[2])));
                case "invalidate" -> invalidate(Long.parseLong(words[1]));
                case "cell-id" -> cellId(words[1], bytes(words[2]), bytes(words[3]), bytes(words[4]));
                default -> "error: there is no command " + words[0];
            };
        } catch (Exception error) {
            return ("error: " + error).replace('\n', ' ');
        }
    }

    /** Its start timestamp: it sees what was committed before. */
    private String begin(HBaseTransactionManager chosen) throws TransactionException {
        manager = chosen;
        transaction = (HBaseTransaction) manager.begin();
        return Long.toString(transaction.getStartTimestamp());
    }

    /** What it writes from now on has the next version. */
    private String checkpoint() throws TransactionException {
        transaction.checkpoint();
        return Long.toString(transaction.getWriteTimestamp());
    }

    private String commit() throws TransactionException, RollbackException {
        manager.commit(transaction);
        return Long.toString(transaction.getCommitTimestamp());
    }

    private String rollback() throws TransactionException {
        manager.rollback(transaction);
        return "done";
    }

    private String get(String table, byte[] row, byte[] family, byte[] qualifier) throws IOException {
        try (TTable cells = new TTable(connection, table)) {
            Result result = cells.get(transaction, new Get(row).addColumn(family, qualifier));
            return text(result.getValue(family, qualifier));
        }
    }

    /** ROW=VALUE of all rows, with spaces between them. */
    private String scan(String table, byte[] family, byte[] qualifier) throws IOException {
        StringJoiner found = new StringJoiner(" ");
        Scan scan = new Scan().addColumn(family, qualifier);
        try (TTable cells = new TTable(connection, table); ResultScanner rows = cells.getScanner(transaction, scan)) {
            for (Result row : rows) {
                found.add(text(row.getRow()) + "=" + text(row.getValue(family, qualifier)));
            }
        }
        return found.toString();
    }

    private String put(String table, byte[] row, byte[] family, byte[] qualifier, byte[] value) throws IOException {
        try (TTable cells = new TTable(connection, table)) {
            cells.put(transaction, new Put(row).addColumn(family, qualifier, value));
        }
        return "done";
    }

    private String delete(String table, Delete what) throws IOException {
        try (TTable cells = new TTable(connection, table)) {
            cells.delete(transaction, what);
        }
        return "done";
    }

    /** What Omid's readers do to an undecided transaction of an older epoch. */
    private String invalidate(long start) throws Exception {
        return Boolean.toString(complete.getCommitTableClient().tryInvalidateTransaction(start).get());
    }

    private String cellId(String table, byte[] row, byte[] family, byte[] qualifier) throws IOException {
        try (TTable cells = new TTable(connection, table)) {
            return Long.toString(new HBaseCellId(cells, row, family, qualifier, 0).getCellId());
        }
    }

    private static byte[] bytes(String word) {
        return word.equals("-") ? new byte[0] : HEX.parseHex(word);
    }

    private static String text(byte[] value) {
        return value == null || value.length == 0 ? "-" : HEX.formatHex(value);
    }

    /** Of a client that dies right after the oracle's answer. */
    private static final class NothingAfterCommit implements PostCommitActions {
        @Override
        public ListenableFuture<Void> updateShadowCells(AbstractTransaction<? extends CellId> transaction) {
            return Futures.immediateFuture(null);
        }

        @Override
        public ListenableFuture<Void> removeCommitTableEntry(AbstractTransaction<? extends CellId> transaction) {
            return Futures.immediateFuture(null);
        }
    }
}
