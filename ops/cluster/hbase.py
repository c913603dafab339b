"""ZooKeeper, HBase's master and region server, and Thrift1, on the local file system; all on the loopback interface.

Without HDFS what HBase has acknowledged survives `kill -9` of every server, but not a crash of the operating system.
"""

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from ops.cluster.kit import Kit, Ports, Server
from ops.cluster.questions import ask_master, ask_region_server, ask_thrift, ask_zookeeper

_ZOOKEEPER, _HBASE = "org.apache.zookeeper.server", "org.apache.hadoop.hbase"

_OPENED = (
    "java.io",
    "java.nio",
    "sun.nio.ch",
    "java.lang",
    "jdk.internal.ref",
    "java.lang.reflect",
    "java.util",
    "java.util.concurrent",
)
_EXPORTED = (
    "java.base/jdk.internal.misc",
    "java.security.jgss/sun.security.krb5",
    "java.base/sun.net.dns",
    "java.base/sun.net.util",
)
_JVM = "\n".join(
    (
        "-XX:+UseSerialGC",  # a small machine: one thread collects
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        "-Djava.net.preferIPv4Stack=true",
        # What HBase reaches for behind the doors of Java 17.
        "-Dorg.apache.hbase.thirdparty.io.netty.tryReflectionSetAccessible=true",
        "--add-modules=jdk.unsupported",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
        *(f"--add-exports={package}=ALL-UNNAMED" for package in _EXPORTED),
        "",
    )
)

_LOGGING = """\
status = warn
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = logs/${sys:adsindex.server}.log
appender.file.filePattern = logs/${sys:adsindex.server}.%i.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{ISO8601} %-5p [%t] %c{2}: %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


def _files(folder: Path, ports: Ports) -> dict[str, str]:
    return {
        "hbase.jvm": _JVM,
        "log4j2.properties": _LOGGING,
        "zoo.cfg": _zoo_cfg(ports),
        "hbase-site.xml": _site(_settings(folder, ports)),
    }


def _zoo_cfg(ports: Ports) -> str:
    """Sessions last two ticks at least: so a short tick lets the death of a leader be noticed soon."""
    return f"""\
tickTime=500
dataDir=zookeeper
clientPort={ports["zookeeper"]}
clientPortAddress=127.0.0.1
admin.enableServer=false
4lw.commands.whitelist=srvr
autopurge.snapRetainCount=3
autopurge.purgeInterval=1
"""


def _settings(folder: Path, ports: Ports) -> dict[str, object]:
    return {
        "hbase.cluster.distributed": "true",
        "hbase.rootdir": (folder / "hbase").as_uri(),
        "fs.defaultFS": "file:///",
        "hbase.tmp.dir": folder / "tmp",
        "hbase.unsafe.stream.capability.enforce": "false",  # the local file system has no hflush
        "hbase.wal.provider": "filesystem",
        "hbase.zookeeper.quorum": "127.0.0.1",
        "hbase.zookeeper.property.clientPort": ports["zookeeper"],
        "zookeeper.session.timeout": 10_000,
        # names and addresses: loopback only, no web pages
        "hbase.master.hostname": "localhost",
        "hbase.master.port": ports["master"],
        "hbase.master.info.port": -1,
        "hbase.unsafe.regionserver.hostname": "localhost",
        "hbase.regionserver.port": ports["regionserver"],
        "hbase.regionserver.info.port": -1,
        "hbase.regionserver.thrift.ipaddress": "127.0.0.1",
        "hbase.regionserver.thrift.port": ports["thrift"],
        "hbase.thrift.info.port": -1,
        # one small region server; without these two the master waits 4.5 s for more, and it 3 s for the master
        "hbase.master.wait.on.regionservers.maxtostart": 1,
        "hbase.regionserver.msginterval": 500,
        "hbase.regionserver.handler.count": 16,
        "hfile.block.cache.size": 0.2,
        # a peer that comes back is served within a second
        "replication.source.sleepforretries": 25,
        "replication.source.maxretriesmultiplier": 4,
        "replication.sleep.before.failover": 1_000,
    }


def _site(settings: Mapping[str, object]) -> str:
    properties = "".join(
        f"  <property><name>{name}</name><value>{escape(str(value))}</value></property>\n"
        for name, value in settings.items()
    )
    return f'<?xml version="1.0"?>\n<configuration>\n{properties}</configuration>\n'


HBASE = Kit(
    "hbase",
    Path(__file__).with_name("pom-hbase.xml"),
    (
        Server(
            "zookeeper", (f"{_ZOOKEEPER}.quorum.QuorumPeerMain", "conf/zoo.cfg"), 128, ("zookeeper",), ask_zookeeper
        ),
        Server("master", (f"{_HBASE}.master.HMaster", "start"), 384, ("master",), ask_master),
        Server(
            "regionserver", (f"{_HBASE}.regionserver.HRegionServer", "start"), 768, ("regionserver",), ask_region_server
        ),
        Server("thrift", (f"{_HBASE}.thrift.ThriftServer", "start"), 384, ("thrift",), ask_thrift),
    ),
    _files,
)
