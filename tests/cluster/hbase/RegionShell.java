import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.HexFormat;
import java.util.List;

import org.apache.hadoop.hbase.HBaseConfiguration;
import org.apache.hadoop.hbase.HRegionLocation;
import org.apache.hadoop.hbase.ServerName;
import org.apache.hadoop.hbase.TableName;
import org.apache.hadoop.hbase.client.Admin;
import org.apache.hadoop.hbase.client.CompactionState;
import org.apache.hadoop.hbase.client.Connection;
import org.apache.hadoop.hbase.client.ConnectionFactory;
import org.apache.hadoop.hbase.client.RegionInfo;
import org.apache.hadoop.hbase.client.RegionLocator;

/**
 * Moves regions about, driven by lines: a command and its arguments with spaces between them, bytes in hexadecimal.
 * Each line is answered by one, when it is done.
 */
public final class RegionShell {

    private static final long LOOK_MS = 20;

    private final Connection connection;
    private final Admin admin;

    private RegionShell() throws IOException {
        connection = ConnectionFactory.createConnection(HBaseConfiguration.create());
        admin = connection.getAdmin();
    }

    public static void main(String[] arguments) throws Exception {
        RegionShell shell = new RegionShell();
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
                case "servers" -> Integer.toString(servers().size());
                case "split" -> split(TableName.valueOf(words[1]), HexFormat.of().parseHex(words[2]));
                case "move" -> move(TableName.valueOf(words[1]));
                case "compact" -> compact(TableName.valueOf(words[1]));
                case "disable" -> disable(TableName.valueOf(words[1]));
                case "enable" -> enable(TableName.valueOf(words[1]));
                default -> "error: there is no command " + words[0];
            };
        } catch (Exception error) {
            return ("error: " + error).replace('\n', ' ');
        }
    }

    private List<ServerName> servers() throws IOException {
        return List.copyOf(admin.getRegionServers());
    }

    private List<HRegionLocation> regions(TableName table) throws IOException {
        try (RegionLocator locator = connection.getRegionLocator(table)) {
            locator.clearRegionLocationCache();
            return locator.getAllRegionLocations();
        }
    }

    /** The region that holds a row, at that row. */
    private String split(TableName table, byte[] row) throws Exception {
        for (HRegionLocation location : regions(table)) {
            if (location.getRegion().containsRow(row)) {
                admin.splitRegionAsync(location.getRegion().getRegionName(), row).get();
            }
        }
        return "done";
    }

    /** Each region, to another server than it is at. */
    private String move(TableName table) throws Exception {
        for (HRegionLocation location : regions(table)) {
            ServerName other = servers().stream().filter(one -> !one.equals(location.getServerName())).findAny().get();
            RegionInfo region = location.getRegion();
            admin.move(region.getEncodedNameAsBytes(), other);
            while (regions(table).stream().noneMatch(
                one -> one.getRegion().equals(region) && other.equals(one.getServerName()))) {
                Thread.sleep(LOOK_MS);
            }
        }
        return "done";
    }

    /** Into one file each: what is deleted, or more than is to be kept, is gone afterwards. */
    private String compact(TableName table) throws Exception {
        admin.flush(table);
        admin.majorCompact(table);
        do {
            Thread.sleep(LOOK_MS);
        } while (admin.getCompactionState(table) != CompactionState.NONE);
        return "done";
    }

    private String disable(TableName table) throws IOException {
        admin.disableTable(table);
        return "done";
    }

    private String enable(TableName table) throws IOException {
        admin.enableTable(table);
        return "done";
    }
}
